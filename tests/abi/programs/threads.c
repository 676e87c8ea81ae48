/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads: musl's pthreads, and futexes by hand. */
#include "case.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <time.h>

enum { FUTEX_WAIT = 0, FUTEX_WAKE = 1, FUTEX_WAIT_PRIVATE = 128, FUTEX_WAKE_PRIVATE = 129 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static long counter;
static atomic_int flag;
static __thread int own = 5;

static void *add(void *argument)
{
	for (int i = 0; i < 5000; i++) {
		pthread_mutex_lock(&mutex);
		counter++;
		pthread_mutex_unlock(&mutex);
	}
	own += (int)(intptr_t)argument;
	return (void *)(intptr_t)own;
}

CASE(join_and_mutex)
{
	enum { COUNT = 16 };
	pthread_t threads[COUNT];
	int created = 0;
	for (int i = 0; i < COUNT; i++) {
		created += pthread_create(&threads[i], NULL, add, (void *)(intptr_t)i) == 0;
	}
	long sum = 0;
	for (int i = 0; i < COUNT; i++) {
		void *result;
		pthread_join(threads[i], &result);
		sum += (intptr_t)result;
	}
	printf("created %d counter %ld sum %ld own %d\n", created, counter, sum, own);
}

static void *consumer(void *argument)
{
	long taken = 0;
	pthread_mutex_lock(&mutex);
	while (!flag || counter > 0) {
		while (counter == 0 && !flag) {
			pthread_cond_wait(&condition, &mutex);
		}
		if (counter > 0) {
			counter--;
			taken++;
		}
	}
	pthread_mutex_unlock(&mutex);
	(void)argument;
	return (void *)taken;
}

CASE(conditions)
{
	pthread_t threads[4];
	for (int i = 0; i < 4; i++) {
		pthread_create(&threads[i], NULL, consumer, NULL);
	}
	for (int i = 0; i < 1000; i++) {
		pthread_mutex_lock(&mutex);
		counter++;
		pthread_cond_signal(&condition);
		pthread_mutex_unlock(&mutex);
	}
	pthread_mutex_lock(&mutex);
	flag = 1;
	pthread_cond_broadcast(&condition);
	pthread_mutex_unlock(&mutex);
	long taken = 0;
	for (int i = 0; i < 4; i++) {
		void *result;
		pthread_join(threads[i], &result);
		taken += (long)result;
	}
	printf("taken %ld\n", taken);
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 100000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&mutex);
	printf("timed wait: %s\n", error_name(pthread_cond_timedwait(&condition, &mutex, &until)));
}

static long futex(atomic_int *word, int operation, int value, struct timespec *timeout)
{
	return syscall(SYS_futex, word, operation, value, timeout, NULL, 0);
}

static void *waiter(void *argument)
{
	while (flag == 0) {
		futex(&flag, FUTEX_WAIT_PRIVATE, 0, NULL);
	}
	(void)argument;
	return NULL;
}

CASE(futexes)
{
	struct timespec brief = {0, 50000000};
	SHOW(futex(&flag, FUTEX_WAIT, 1, NULL));
	SHOW(futex(&flag, FUTEX_WAIT, 0, &brief));
	SHOW(futex(&flag, FUTEX_WAKE, 1, NULL));
	SHOW(futex((atomic_int *)1, FUTEX_WAIT, 0, NULL));
	SHOW(futex((atomic_int *)8, FUTEX_WAIT, 0, NULL));
	SHOW(futex(&flag, 99, 0, NULL));
	brief.tv_nsec = -1;
	SHOW(futex(&flag, FUTEX_WAIT, 0, &brief));
	pthread_t threads[3];
	for (int i = 0; i < 3; i++) {
		pthread_create(&threads[i], NULL, waiter, NULL);
	}
	sleep_ms(300);
	flag = 1;
	SHOW(futex(&flag, FUTEX_WAKE_PRIVATE, 1, NULL));
	SHOW(futex(&flag, FUTEX_WAKE_PRIVATE, 100, NULL));
	for (int i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
	}
	atomic_int *shared =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared != MAP_FAILED) {
		pid_t child = fork();
		if (child == 0) {
			while (*shared == 0) {
				futex(shared, FUTEX_WAIT, 0, NULL);
			}
			_exit(4);
		}
		sleep_ms(200);
		*shared = 1;
		SHOW(futex(shared, FUTEX_WAKE, 1, NULL));
		int status;
		waitpid(child, &status, 0);
		show_status("across processes", status);
	}
}

static void *exit_all(void *argument)
{
	sleep_ms(100);
	fflush(stdout);
	_exit(12);
	return argument;
}

static void exit_from_thread(void)
{
	pthread_t thread;
	pthread_create(&thread, NULL, exit_all, NULL);
	for (;;) {
		pause();
	}
}

static void *exec_now(void *argument)
{
	execl("/bin/sh", "sh", "-c", "exit 13", (char *)NULL);
	return argument;
}

static void exec_from_thread(void)
{
	pthread_t thread;
	pthread_create(&thread, NULL, exec_now, NULL);
	for (;;) {
	}
}

static void *fault_now(void *argument)
{
	*(volatile int *)0 = 1;
	return argument;
}

static void fault_in_thread(void)
{
	pthread_t thread;
	pthread_create(&thread, NULL, fault_now, NULL);
	pthread_join(thread, NULL);
}

static void *return_later(void *argument)
{
	sleep_ms(200);
	return argument;
}

static void *exit_thread_later(void *argument)
{
	sleep_ms(200);
	syscall(SYS_exit, 7);
	return argument;
}

static void leader_leaves(void)
{
	pthread_t thread;
	pthread_create(&thread, NULL, exit_thread_later, NULL);
	syscall(SYS_exit, 3);
}

CASE(group_ends)
{
	in_child("exit_group from a thread", exit_from_thread);
	in_child("exec from a thread", exec_from_thread);
	in_child("fault in a thread", fault_in_thread);
	in_child("leader leaves first", leader_leaves);
}

static void *fork_here(void *argument)
{
	pid_t child = fork();
	if (child == 0) {
		_exit(own == 5 ? 21 : 22);
	}
	int *status = argument;
	waitpid(child, status, 0);
	return NULL;
}

CASE(fork_in_thread)
{
	pthread_t thread;
	int status = 0;
	pthread_create(&thread, NULL, fork_here, &status);
	pthread_join(thread, NULL);
	show_status("child", status);
}

static pthread_t signalled;
static atomic_int handled_by_right;

static void which_handler(int signo)
{
	handled_by_right += pthread_equal(pthread_self(), signalled) ? 1 : 100;
	(void)signo;
}

static void *wait_for_signal(void *argument)
{
	while (!handled_by_right) {
		sleep_ms(10);
	}
	(void)argument;
	return NULL;
}

CASE(signals_to_threads)
{
	signal(SIGUSR1, which_handler);
	pthread_create(&signalled, NULL, wait_for_signal, NULL);
	SHOW(pthread_kill(signalled, SIGUSR1));
	pthread_join(signalled, NULL);
	printf("right thread %d\n", handled_by_right);
	SHOW(syscall(SYS_tgkill, getpid(), 1 << 22, SIGUSR1));
	SHOW(syscall(SYS_tgkill, getpid(), getpid(), 0));
	SHOW(syscall(SYS_tgkill, -1, getpid(), 0));
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	kill(getpid(), SIGUSR2);
	int got;
	sigwait(&set, &got);
	printf("got %d\n", got);
}

static sem_t semaphore;

static void *poster(void *argument)
{
	for (int i = 0; i < 100; i++) {
		sem_post(&semaphore);
	}
	return argument;
}

CASE(semaphores_and_barrier)
{
	pthread_t threads[3];
	sem_init(&semaphore, 0, 0);
	for (int i = 0; i < 3; i++) {
		pthread_create(&threads[i], NULL, poster, NULL);
	}
	for (int i = 0; i < 300; i++) {
		sem_wait(&semaphore);
	}
	for (int i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
	}
	SHOW(sem_trywait(&semaphore));
	pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
	SHOW(pthread_rwlock_rdlock(&lock));
	SHOW(pthread_rwlock_tryrdlock(&lock));
	printf("%s\n", error_name(pthread_rwlock_trywrlock(&lock)));
}

static void *cancelled_thread(void *argument)
{
	for (;;) {
		pause();
	}
	return argument;
}

CASE(cancel_and_detach)
{
	pthread_t thread;
	pthread_create(&thread, NULL, cancelled_thread, NULL);
	sleep_ms(50);
	SHOW(pthread_cancel(thread));
	void *result;
	SHOW(pthread_join(thread, &result));
	printf("cancelled %d\n", result == PTHREAD_CANCELED);
	int created = 0;
	for (int i = 0; i < 100; i++) {
		created += pthread_create(&thread, NULL, return_later, NULL) == 0;
		pthread_detach(thread);
	}
	printf("created %d\n", created);
	sleep_ms(500);
}

static void *blocked_reader(void *argument)
{
	char c;
	int *ends = argument;
	return (void *)read(ends[0], &c, 1);
}

CASE(blocking_call_blocks_one)
{
	int ends[2];
	pipe(ends);
	pthread_t thread;
	pthread_create(&thread, NULL, blocked_reader, ends);
	sleep_ms(100);
	SHOW(write(ends[1], "x", 1));
	void *result;
	pthread_join(thread, &result);
	printf("read %ld\n", (long)result);
	SHOW(syscall(SYS_gettid) == getpid());
}

# SPDX-License-Identifier: BSD-2-Clause
# Processes, job control and the terminal.

#@ process-ids
[ $$ -gt 0 ] && echo pid; sh -c 'echo $PPID' | { read p; [ $p = $$ ] && echo parent; }; (sh -c '[ $$ != '$$' ] && echo other'); echo $(( $(sh -c 'echo $$') > 0 ))

#@ ps
exec 2> /dev/null
sleep 50 & p=$!; sleep 0.3; ps -o pid,comm | awk -v p=$p '$1==p {print $2}'; ps -o pid,ppid,args | awk -v p=$p '$1==p {print $3,$4}'; ps -o pid,ppid | awk -v p=$p -v me=$$ '$1==p {print $2==me}'; kill $p; wait $p; ps -o pid | awk -v p=$p '$1==p {print "still"}'; ps | head -1

#@ pidof-killall
exec 2> /dev/null
sleep 51 & p=$!; sleep 0.3; kill -0 $p; pidof nosuch; echo $?; killall nosuch 2>&1; echo $?; kill $p; wait $p; echo $?

#@ proc-self
cat /proc/self/cmdline | tr '\0' ' '; echo; readlink /proc/self/exe; readlink /proc/self/cwd | sed 's,.*/,,'; awk '{print NF}' /proc/self/stat; sed -n '1p' /proc/self/status; grep -c . /proc/self/maps | awk '{print $1>3}'; exec 7< /proc/self/stat; ls /proc/$$/fd | grep -c 7; ls -d /proc/self /proc/$$ /proc/1 | wc -l; grep -c '\[stack\]' /proc/self/maps; [ -r /proc/999999/stat ] || echo none; readlink /proc/$$/root; cat /proc/self/comm

#@ proc-global
for f in meminfo uptime loadavg mounts cpuinfo version stat; do [ -s /proc/$f ] || cat /proc/$f > /dev/null && echo $f; done; awk '/^(MemTotal|MemFree|MemAvailable|Buffers|Cached|SwapTotal|SwapFree):/ {print $1, $3}' /proc/meminfo; awk '{print NF}' /proc/uptime; awk '{print NF}' /proc/loadavg; awk '$2=="/" {n++} END {print n > 0}' /proc/mounts; cut -d' ' -f1,2 /proc/version; awk '$1=="cpu" {print (NF>=8)}' /proc/stat; grep -c ^processor /proc/cpuinfo | awk '{print $1>0}'; head -c 3 /proc/cpuinfo; echo

#@ uptime-free
uptime | grep -c 'load average'; free | head -1; free | awk '/^Mem:/ {print ($2>$3), NF}'; uname -s; uname -m; uname -r | cut -c1-1; hostname > /dev/null && echo host; id; whoami; groups; nproc | awk '{print $1>0}'; tty < /dev/null

#@ nice-time
time -f %x true 2>&1; time -p true 2>&1 | cut -d' ' -f1; timeout 0.3 sleep 5; echo $?; timeout 5 true; echo $?; timeout -s KILL 0.2 sleep 5; echo $?; usleep 1000; sleep 0.01; echo slept

#@ setsid-nohup
setsid sh -c 'echo session'; (trap '' HUP; sh -c 'kill -HUP $$; echo ignored'); setsid sleep 0 && echo ok; ps -o pid,pgid,sid 2>/dev/null | head -1

#@ kill-group
exec 2> /dev/null
set -m; sh -c 'trap "" TERM; (trap - TERM; sleep 60) & sleep 61 & wait' & p=$!; sleep 0.3; kill -KILL -$p; wait $p; echo $?; sleep 0.2; ps -o args | grep -c 'sleep 6[01]'

#@ job-table
exec 2> /dev/null
set -m; sleep 30 & sleep 31 & jobs | sed 's/+/ /;s/-/ /'; kill %1; wait %1; echo $?; kill %2; wait; jobs | wc -l

#@ stop-continue
exec 2> /dev/null
set -m; sh -c 'kill -STOP $$; echo continued' & sleep 0.3; jobs | grep -c Stopped; kill -CONT %1; sleep 0.3; wait; echo end

#@ fg-bg
exec 2> /dev/null
set -m; exec < /dev/tty; sh -c 'kill -STOP $$; echo resumed in fg' & sleep 0.3; fg %1 > /dev/null; echo $?; sh -c 'kill -STOP $$; echo resumed in bg' & sleep 0.3; bg %1 > /dev/null; wait; echo end

#@ tty-background-read
exec 2> /dev/null
set -m; cat < /dev/tty & sleep 0.4; jobs | sed 's/ *cat.*//;s/.*Stopped/Stopped/'; p=$!; set +m; kill -KILL $p; sleep 0.2; kill -0 $p; ps -o stat,args | grep -c '[Tt].*[c]at$'

#@ tty-group
exec 2> /dev/null
exec < /dev/tty; sh -c 'set -m; sleep 0 & wait; echo job' ; [ -t 0 ] && echo terminal; tty | cut -c1-5; stty -a | grep -c isig; stty -a | head -1 | cut -d' ' -f1,3; stty raw; stty -a | grep -o -e '-icanon' -e '-isig' -e '-opost' | tr '\n' ' '; stty -raw icanon isig; stty -a | grep -o ' icanon'; stty erase '^H'; stty -a | grep -o 'erase = ^.'; stty sane -echo -onlcr; stty -a | grep -o 'erase = ^.'

#@ orphans
(sh -c 'sleep 0.3; echo orphan speaks' &); sleep 1; echo parent gone

#@ zombie-reap
for i in 1 2 3; do sh -c 'exit 0' & done; sleep 0.3; wait; ps -o stat 2>/dev/null | grep -c '^Z'

#@ signal-storm
n=0; trap 'n=$((n+1))' USR1; i=0; while [ $i -lt 50 ]; do kill -USR1 $$; i=$((i+1)); done; echo $n; sh -c 'for i in 1 2 3; do kill -USR1 $PPID; usleep 100000; done' ; echo $n

#@ wait-order
sh -c 'sleep 0.4; exit 1' & a=$!; sh -c 'sleep 0.1; exit 2' & b=$!; wait $a; echo $?; wait $b; echo $?; wait 999999; echo $?; wait; echo $?

#@ mount-tmpfs
mkdir m; mount -t tmpfs none m && { echo x > m/f; cat m/f; mount | grep -c "$PWD/m"; mkdir -p m/d/e; ls m; umount m; ls m | wc -l; }; umount m 2>/dev/null; echo $?

#@ top-once
top -b -n 1 | head -1 | cut -c1-4; top -b -n 1 | grep -c PID

#@ start-stop-daemon
start-stop-daemon -S -b -m -p $PWD/pid -x /bin/sleep -- 40; sleep 0.3; kill -0 $(cat pid) && echo running; start-stop-daemon -K -q -p $PWD/pid; sleep 0.3; kill -0 $(cat pid) 2>/dev/null || echo stopped

#@ watch
exec 2> /dev/null
watch -n 1 -t true < /dev/null > /dev/null 2>&1 & p=$!; sleep 0.3; kill $p; wait $p; echo $?

#@ line-editing
. /tests/keys
cat < /dev/tty | after_keys 'helloo\177 world\r\004'
cat < /dev/tty | after_keys 'a wrong line\025right\n\004'
cat < /dev/tty | after_keys 'one two\027three\n\026\003literal\n\004'
head -n 1 < /dev/tty | after_keys 'two\nlines\n'; read x < /dev/tty; echo $x
cat < /dev/tty | after_keys 'no newline\004\004'; echo; wc -c < /dev/tty | after_keys '\004'

#@ control-c
. /tests/keys
exec 2> /dev/null < /dev/tty; set -m; trap 'echo the shell too' INT
sh -c '. /tests/keys; keys "\003"; sleep 20; echo no'; echo $?
sh -c 'trap "echo caught; exit 4" INT; . /tests/keys; keys "\003"; while :; do sleep 0.1; done'; echo $?
sh -c 'trap "" INT; . /tests/keys; keys "\003x\n"; read x; echo ignored $x'

#@ control-z
. /tests/keys
exec 2> /dev/null < /dev/tty; set -m
sh -c '. /tests/keys; keys "\032"; sleep 1; echo went on'; echo $?; jobs | grep -c Stopped; fg %1 > /dev/null; echo $?

#@ raw-keys
. /tests/keys
exec 2> /dev/null < /dev/tty; stty raw -echo; keys '\003\032\004a\r\n\177'; head -c 7 | od -An -tx1; stty sane -echo -onlcr
stty -icanon -echo min 0 time 2; dd bs=10 count=1 | wc -c; stty sane -echo -onlcr; stty -icrnl -echo -onlcr; keys 'a\rb\n'; read x; printf %s "$x" | od -An -c; stty sane -echo -onlcr

#@ shell-on-terminal
. /tests/keys
sh -i < /dev/tty 2>/dev/null | after_keys 'echo interactive\nx=5\necho $((x+1))\nfalse\necho $?\nexit 3\n' | tr -d '\001'

#@ fork-rate timeout=60
i=0; while [ $i -lt 300 ]; do /bin/true; i=$((i+1)); done; echo $i; i=0; while [ $i -lt 200 ]; do (:); i=$((i+1)); done; echo $i

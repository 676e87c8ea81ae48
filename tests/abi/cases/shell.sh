# SPDX-License-Identifier: BSD-2-Clause
# The shell itself. Each `#@ NAME` begins a case: a script of its own, run in an empty directory.

#@ arithmetic
echo $((6*7)) $((2**3)) $((017)) $((0x1f)) $((-7/2)) $((-7%3)) $((1<<40)) $((5>3?10:20))
i=5; : $((i+=3)); echo $i $((i++)) $i $((--i))

#@ for-loop
for i in a b "c d" *; do echo "<$i>"; done
for i in $(seq 1 5); do [ $i = 3 ] && continue; [ $i = 5 ] && break; echo $i; done
for i; do echo never; done

#@ while-until
i=0; while [ $i -lt 3 ]; do echo w$i; i=$((i+1)); done
until [ $i -eq 0 ]; do i=$((i-1)); echo u$i; done
while :; do while :; do break 2; done; done; echo out

#@ case-patterns
for word in apple Banana 42 x.c '*' ''; do
	case $word in
	[a-z]*) echo "lower $word" ;;
	[A-Z]*) echo "upper $word" ;;
	[0-9][0-9]) echo "two digits" ;;
	\*) echo star ;;
	'') echo empty ;;
	esac
done
case foo.tar.gz in *.tar.?z) echo tar ;; esac

#@ functions
f() { local x=$1; [ $x -le 1 ] && { echo 1; return; }; echo $((x * $(f $((x-1))))); }
f 6
g() { return 7; }; g; echo $?
h() { echo "$# $* $@"; shift; echo "$1"; }; h a 'b c' d

#@ parameters
x=hello.tar.gz; unset y
echo ${x%.*} ${x%%.*} ${x#*.} ${x##*.} ${#x} ${y:-def} ${y:=set} $y ${x:+alt} ${x:1:3} ${x/l/L} ${x//l/L}
set -- one two three; echo $# $1 ${3} "$*"; IFS=,; echo "$*"
(unset z; echo ${z?message}) 2>/dev/null; echo $?

#@ quoting
a='single $x `y`'; b="double \$x \"q\" $((1+1))"
echo "$a" "$b" 'it'\''s' "tab	tab"
printf '%s\n' "a  b" a\ \ b
echo 'back\\slash' "\\"

#@ here-documents
x=world
cat <<END
hello $x $((1+2)) $(echo sub)
	kept tab
END
cat <<'END'
literal $x $(echo no)
END
cat <<-END
	stripped
	END
cat <<A; cat <<B
first
A
second
B

#@ here-document-large
{ echo 'wc -c <<E'; seq 1 20000; echo E; } > script
sh script

#@ pipes
seq 1 100 | grep 7 | sort -rn | head -3 | tr '\n' ' '; echo
echo a | { read x; echo "got $x"; } | cat | cat | cat
false | true; echo $?
true | false; echo $?
! true; echo $?
yes | head -1

#@ pipefail
set -o pipefail; false | true; echo $?; set +o pipefail; false | true; echo $?

#@ redirections
echo out > f; echo more >> f; cat f; cat < f > g; cmp f g && echo same
ls nothere 2> err; wc -l < err; { echo o; echo e >&2; } > both 2>&1; cat both
exec 3> three; echo to3 >&3; exec 3>&-; cat three
exec 4< f; read l <&4; echo "$l"; read l <&4; echo "$l"; exec 4<&-
echo clobber > f; set -C; (echo again > f) 2> /dev/null; echo $?; echo yes >| f; cat f
: > empty; ls -s empty | cut -d' ' -f2; cat 0<>f

#@ command-substitution
echo "$(echo a; echo b)" `echo c` $(echo "$(echo "$(echo deep)")")
x=$(false); echo $?; x=$(printf 'trail\n\n\n'); echo "[$x]"
echo $(seq 1 3000) | wc -c

#@ subshells
x=1; (x=2; cd /; echo $x $PWD); echo $x ${PWD##*/}
(exit 9); echo $?; { exit_status=3; }; echo $exit_status
( ( ( echo deep ) ) )

#@ exit-status
sh -c 'exit 300'; echo $?; sh -c 'kill -TERM $$'; echo $?; nosuchcommand 2>/dev/null; echo $?
/etc/passwd 2>/dev/null; echo $?; sh -c 'kill -9 $$'; echo $?; sh -c 'exit'; echo $?
test -d /etc -a -f /etc/passwd; echo $?; [ 3 -gt 5 ]; echo $?

#@ and-or-lists
true && echo a || echo b; false && echo a || echo b; false || { echo c; false; } || echo d
true; echo $?; if false; then echo x; elif true; then echo y; else echo z; fi

#@ globbing
touch a.c b.c ab.h .hidden 'sp ace' '[x]'; mkdir d; touch d/e.c
echo *.c; echo ?.c; echo [!a]*.c; echo .h*; echo *; echo */*.c; echo nomatch*; echo "*"; echo \[x\]

#@ traps
trap 'echo exit trap' EXIT; trap 'echo usr1' USR1; kill -USR1 $$; trap '' TERM; kill -TERM $$; echo alive
trap - TERM; (trap 'echo sub; exit 3' TERM; sh -c 'kill -TERM $PPID'; sleep 5; echo no); echo $?

#@ signals-wait
sleep 100 & p=$!; kill $p; wait $p 2> /dev/null; echo $?
sh -c 'trap "echo got; exit 5" INT; kill -INT $$; sleep 1'; echo $?
(sleep 0.2; exit 4) & wait $!; echo $?
kill -0 $$ && echo self; kill -0 999999 2>/dev/null || echo nobody
kill -l 9; kill -l TERM

#@ background
for i in 1 2 3 4 5; do (exit $i) & done; wait; echo done
(sleep 0.3; echo late) & (echo early); wait; echo all
x=$(sleep 0.1 & echo fast); echo $x

#@ set-options
set -e; (false; echo no) || echo caught; set +e
set -u; (echo $unset_name) 2>/dev/null; echo $?; set +u
set -x; : traced 2>/dev/null; set +x
set -f; echo *; set +f; set -- -a b; echo "$@"; set -n; echo never

#@ read-builtin
printf 'one two  three four\nback\\\nslash\n' | { read a b c; echo "$a|$b|$c"; read x; echo "$x"; }
printf 'a:b:c\n' | { IFS=: read x y; echo $x $y; }
printf 'no newline' | { read l; echo "$? $l"; }
printf 'x\ny\n' | while read -r l; do echo "<$l>"; done

#@ getopts
f() { OPTIND=1; while getopts ab:c o; do echo "$o ${OPTARG-none}"; done 2>/dev/null; shift $((OPTIND-1)); echo "rest $*"; }
f -a -b val -c x y; f -bval -ac z; f -q

#@ eval-and-alias
x='echo evaluated'; eval $x; eval 'y=5; echo $y'; v=name; eval $v=7; echo $name
type cd | head -1; command -v ls; alias ll='echo aliased'; alias ll

#@ test-operators
echo data > f; ln -s f l; mkdir d; mkfifo p; touch -d '2001-01-01' old
for e in '-f f' '-d d' '-h l' '-L f' '-p p' '-s f' '-r f' '-x f' '-e none' 'f -nt old' 'f -ef l' '-z ""' '-n x'; do
	eval "[ $e ]"; echo "$e $?"
done
[ a = a ] && [ a != b ] && [ ! 1 -eq 2 ] && echo ok; [[ abc == a* ]] && echo glob

#@ environment
A=1 sh -c 'echo $A'; export B=two; sh -c 'echo $B'; env -i C=3 /bin/sh -c 'echo $C-$B'; unset B; sh -c 'echo ${B-unset}'
env | grep -c '^A='; echo ${HOME:+home}

#@ exec-replace
sh -c 'exec echo replaced; echo no'; (exec 5>x; echo five >&5); cat x; sh -c 'exec /nonexistent' 2>/dev/null; echo $?

#@ script-file
printf '#!/bin/sh\necho "$0 $1 $#"\n' > s; chmod +x s; ./s a b; sh s; printf '#!/bin/cat\nshown\n' > t; chmod +x t; ./t
printf 'echo no shebang\n' > u; chmod +x u; ./u; printf '#! /usr/bin/env sh\necho env\n' > v; chmod +x v; ./v
PATH=.:$PATH; s x; chmod -x s; ./s 2>/dev/null; echo $?

#@ source-file
echo 'sourced=yes; f() { echo f $1; }' > lib; . ./lib; f $sourced; echo 'return 4; echo no' > r; . ./r; echo $?

#@ deep-recursion
f() { [ $1 -eq 0 ] && echo bottom || f $(($1-1)); }; f 500

#@ long-pipeline
c='cat'; for i in $(seq 1 30); do c="$c | cat"; done; seq 1 1000 | eval "$c" | md5sum

#@ printf
printf '%d %5d|%-5d|%05d %x %X %o %c %s %10s|%-10s|\n' 1 2 3 4 255 255 8 char str right left
printf '%.3f %e %g\n' 3.14159 12345.678 0.0001; printf '%b' 'a\tb\n'; printf '%s,' a b c; echo; printf '%%\n'
printf '\101\x42\n'; printf '%u\n' -1

#@ times-and-umask
umask 027; touch f; mkdir d; stat -c '%a %n' f d; umask; umask u=rwx,g=,o=; umask
ulimit -n > /dev/null && echo ulimit; (ulimit -n 20; ulimit -n)

#@ cd-and-pwd
mkdir -p a/b; ln -s a/b l; cd l; pwd | sed 's,.*/,,'; pwd -P | sed 's,.*/,,'; cd -P .; pwd | sed 's,.*/,,'; cd ../..; ls
cd nothere 2>/dev/null || echo refused; cd a; cd - > /dev/null; ls | wc -l; (cd /; pwd; cd ..; pwd)

#@ fifo-talk
mkfifo f; (echo through > f) & cat f; wait
mkfifo a b; (read x < a; echo "reply $x" > b) & echo hello > a; cat b; wait

#@ busybox-sh-c-args
sh -c 'echo $0 $1 $2' zero one two; sh -s x y <<'E'
echo $# $1
E
echo 'echo from stdin' | sh; sh -c ''; echo $?; sh -n -c 'echo never'; sh -ec 'false; echo no'; echo $?

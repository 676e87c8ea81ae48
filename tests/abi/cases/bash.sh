# SPDX-License-Identifier: BSD-2-Clause
# Debian's bash-static. The scripts are given to bash.
#! /bin/bash

#@ arrays
a=(one two 'three four'); echo ${#a[@]} "${a[2]}"; a+=(five); for x in "${a[@]}"; do echo "<$x>"; done; echo ${!a[@]}; unset 'a[1]'; echo ${!a[@]}; declare -A m=([k]=v [x]=y); for k in $(printf '%s\n' "${!m[@]}" | sort); do echo $k=${m[$k]}; done; echo "${a[@]:1:2}"

#@ expansions
x=Hello; echo ${x,,} ${x^^} ${x:1:3} ${x/l/L} ${x//l/_} ${x: -2} {1..5} {a..e..2} pre{x,y}post ${!x*} $'tab\there' ~root; printf -v y '%03d' 7; echo $y; echo $((2**40)) $((16#ff)); [[ abc =~ ^a(.)c$ ]] && echo ${BASH_REMATCH[1]}

#@ process-substitution
diff <(seq 1 3) <(seq 1 4); cat <(echo a) <(echo b); while read x; do n=$((n+x)); done < <(seq 1 10); echo $n; tee >(wc -l > c) < <(seq 1 5) > /dev/null; sleep 0.3; cat c | tr -d ' '

#@ coproc
coproc { while read l; do echo "got $l"; done; }; echo hi >&${COPROC[1]}; read r <&${COPROC[0]}; echo "$r"; eval "exec ${COPROC[1]}>&-"; wait; echo done

#@ control
for ((i=0;i<3;i++)); do echo $i; done; select x in a b; do echo $x; break; done <<< 2 2>/dev/null; case x in x) echo 1 ;;& [a-z]) echo 2 ;; esac; until false; do break; done; (( 5 > 3 )) && echo yes; let z=4*5; echo $z

#@ traps
trap 'echo exit' EXIT; trap 'echo err' ERR; false; trap 'echo debug' DEBUG; :; trap - DEBUG; trap 'echo term' TERM; kill -TERM $$; (trap 'echo subexit' EXIT); f() { trap 'echo return' RETURN; }; f

#@ job-control
set -m; sleep 20 & jobs %1 | sed 's/\[1\].//'; kill %1; wait %1; echo $?; (exit 3) & wait $!; echo $?; sleep 0.1 & wait -n; echo $?; disown -a; jobs | wc -l

#@ pipestatus
true | false | (exit 5); echo ${PIPESTATUS[@]}; set -o pipefail; false | true; echo $?; shopt -s lastpipe; set +m; echo x | read v; echo $v

#@ here-strings
cat <<< "one $((1+1))"; read a b <<< "x y"; echo $b $a; mapfile -t l < <(seq 1 4); echo ${#l[@]} ${l[3]}; IFS=, read -ra p <<< a,b,c; echo ${p[1]}

#@ big-script
f() { local n=$1; (( n < 2 )) && { echo $n; return; }; echo $(( $(f $((n-1))) + $(f $((n-2))) )); }; f 9; s=; for ((i=0;i<5000;i++)); do s+=x; done; echo ${#s}; printf '%s\n' {1..2000} | md5sum

#@ redirect-fds
exec {fd}> file; echo hi >&$fd; exec {fd}>&-; cat file; { echo a; echo b >&2; } 2>&1 | sort; echo x &> both; cat both; echo y |& cat; exec 9<> file; read l <&9; echo $l; : 2>&1 3>&1; [ -e /dev/fd/0 ] && echo fd

#@ ulimit-times
ulimit -n | awk '{print $1>0}'; (ulimit -n 32; ulimit -n); (ulimit -t 100; ulimit -t); umask -S; times | wc -l; echo ${BASH_VERSION%%.*} $BASH; echo $SECONDS | grep -c .; [ $RANDOM != $RANDOM$RANDOM ] && echo random; type -t cd ls; hash -r; enable -n echo; echo external

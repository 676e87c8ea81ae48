# SPDX-License-Identifier: BSD-2-Clause
# Files and directories.

#@ ls-formats
mkdir d; echo x > f; ln -s f l; ln f h; chmod 754 f; touch -d '2020-02-03 04:05:06' f d; mkfifo p
ls; ls -a; ls -F; ls -1p; ls -ln f | awk '{print $1,$2,$3,$4,$5}'; ls -l --full-time f | awk '{print $6,$7}'; ls -d d; ls -i f h | awk '{print $1}' | uniq | wc -l
ls -lL l | awk '{print $1}'; ls -R; ls nothere; echo $?

#@ ls-sort
for i in 3 1 2; do head -c ${i}000 /dev/zero > f$i; touch -d "200$i-01-01" f$i; done
ls -S; ls -t; ls -rt; ls -r

#@ mkdir-rmdir
mkdir -p a/b/c; mkdir -m 700 x; stat -c %a x; mkdir a 2>/dev/null; echo $?; rmdir a 2>/dev/null; echo $?; rmdir -p a/b/c; ls; mkdir n/o 2>/dev/null; echo $?

#@ cp-archive
mkdir -p s/sub; echo one > s/a; ln -s a s/l; ln s/a s/h; chmod 640 s/a; touch -d '2011-11-11 11:11:11' s/a s/sub; mkfifo s/p
cp -a s t; (cd t; ls -lnR | awk '{print $1,$3,$4,$NF}'); stat -c '%Y %a' t/a t/sub; readlink t/l
cp -r s u; cp s/a v; cp -l s/a w; stat -c %h s/a; cp -s s/a z; readlink z; cp nothere x; echo $?

#@ mv
echo 1 > a; mkdir d; mv a b; cat b; mv b d/; ls d; mv d e; ls; echo 2 > x; echo 3 > y; mv x y; cat y; mv -n y e; ls e
mv e/b e/y . ; ls; mv nothere z 2>/dev/null; echo $?; mkdir p q; mv p q; ls q; mv q q/p 2>/dev/null; echo $?

#@ rm
mkdir -p d/e/f; touch d/x d/e/y d/e/f/z; rm d 2>/dev/null; echo $?; rm -r d; ls; rm -f nothere; echo $?; touch a b; rm a b; ls
touch -- -x; rm -- -x; ls; mkdir ro; touch ro/f; rm -rf ro; ls

#@ ln
echo x > a; ln a b; ln -s a c; ln -s /etc/passwd d; ln -sf nothere e; stat -c %h a; for l in c d e; do readlink $l; done; cat c; [ -e e ] || echo dangling
ln a b 2>/dev/null; echo $?; ln -f a b; ln -s d/x y; ls -l y | sed 's/.*y/y/'; ln -s loop loop; cat loop 2>/dev/null || echo eloop; rm c; cat a; readlink -f d

#@ stat
echo hello > f; chmod 4755 f; touch -d '2015-06-07 08:09:10' f; stat -c '%n %s %a %A %F %h %u %g %U %G %Y %b %B' f
mkdir d; stat -c '%F %a %h' d; ln -s f l; stat -c '%F %s' l; stat -L -c '%F %s' l; stat -c '%F %t %T' /dev/null; mkfifo p; stat -c %F p
stat -c %n nothere 2>/dev/null; echo $?; stat -f -c '%l' . ; stat -f -c %s .

#@ chmod-chown
touch f; for m in 644 u+x g-r o=rwx a-x u+s +t 0 777; do chmod $m f; stat -c %a f; done; chown 12:34 f; stat -c '%u %g' f; chown :56 f; stat -c '%u %g' f; chgrp 0 f; chown root f; stat -c '%U %G' f
mkdir d; touch d/x; chmod -R 700 d; stat -c %a d d/x; ln -s f l; chown -h 9 l; stat -c %u l f; chmod 6755 f; chown 1 f; stat -c %a f

#@ permissions
mkdir d; echo secret > d/f; chmod 600 d/f; chmod 711 d; chmod 755 .
as() { su -s /bin/sh -c "cd $PWD; $1" user 2>/dev/null || echo refused; }
as 'cat d/f'; as 'ls d'; as 'cat d/nothere'; chmod 644 d/f; as 'cat d/f'; as 'echo x > d/f'; as 'rm -f d/f'; as 'touch new'; chmod 1777 .; as 'touch new; stat -c %u new'; as 'mv d e'; as 'chmod 777 d'; as 'chown 1000 d'; as 'kill -0 1'; as 'id -u'

#@ touch-times
touch -d '1999-12-31 23:59:59' a; stat -c '%X %Y' a; touch -r a b; stat -c %Y b; touch -c none; ls; touch -d @1234567890 a; stat -c %Y a; touch -h -d @5 a 2>/dev/null; touch -t 202001020304.05 a; stat -c %Y a
TZ=UTC date -r a '+%F %T'

#@ find
mkdir -p a/b/c; touch a/1.c a/b/2.c a/b/c/3.h; echo data > a/big; ln -s big a/l; chmod 600 a/1.c; touch -d '2000-01-01' a/b/2.c
find a | sort; find a -name '*.c' | sort; find a -type d | sort; find a -type l; find a -size +0 -type f | sort; find a -perm 600; find a -mtime +1000 -type f; find a -newer a/b/2.c -name '*.h'
find a -maxdepth 1 | sort; find a -mindepth 2 -name '?.*' | sort; find a -path '*/b/*' | sort; find a -empty | sort; find a -name '*.c' -exec echo got {} \; | sort; find a -type f -exec echo {} + | wc -w; find a -name b -prune -o -type f -print | sort; find a -depth | tail -1; find a -name '*.c' -o -name '*.h' | sort; find a ! -type f | sort; find nothere 2>/dev/null; echo $?

#@ xargs
seq 1 10 | xargs; seq 1 10 | xargs -n 3; printf 'a b\0c d\0' | xargs -0 -n 1 echo item; echo x y z | xargs -n 1 -I{} echo '<{}>'; seq 1 5000 | xargs | wc -l; seq 1 2000 | xargs -n 100 echo | wc -l; echo | xargs -r echo never; printf '1\n2\n3\n' | xargs -P 2 -n 1 echo | sort; echo a | xargs false; echo $?

#@ du-df
mkdir d; head -c 10000 /dev/zero > d/f; head -c 40000 /dev/zero > d/g; du -k d/f | cut -f1; du -sk d | cut -f1; du -ab d 2>/dev/null | sort | head -1; df . | wc -l; df -k . | awk 'NR==2 {print ($2>1000), ($4<=$2), $6}'

#@ dd
dd if=/dev/zero of=z bs=1k count=100 2>/dev/null; stat -c %s z; printf 0123456789 > d; dd if=d bs=1 skip=3 count=4 2>/dev/null; echo; printf XX | dd of=d bs=1 seek=2 conv=notrunc 2>/dev/null; cat d; echo; printf tail | dd of=d bs=1 seek=20 2>/dev/null; od -An -c d; dd if=d of=e conv=fsync 2>&1 | sed -n 1,2p; echo abc | dd conv=swab 2>/dev/null; dd if=z of=/dev/null bs=7 2>/dev/null; echo $?; dd if=nothere 2>/dev/null; echo $?

#@ sparse-file
dd if=/dev/zero of=s bs=1 count=1 seek=10000000 2>/dev/null; stat -c %s s; [ $(stat -c %b s) -lt 1000 ] && echo sparse; sha256sum s; truncate -s 5G huge; stat -c %s huge; printf end | dd of=huge bs=1 seek=5000000000 conv=notrunc 2>/dev/null; dd if=huge bs=1 skip=5000000000 count=3 2>/dev/null; echo; [ $(stat -c %b huge) -lt 1000 ] && echo sparse; truncate -s 3 huge; stat -c '%s %b' huge

#@ truncate
seq 1 1000 > f; truncate -s 10 f; cat f; truncate -s 20 f; od -An -tx1 f; truncate -s 0 f; stat -c '%s %b' f;

#@ many-files
i=0; while [ $i -lt 300 ]; do echo $i > f$i; i=$((i+1)); done; ls | wc -l; cat f* | awk '{s+=$1} END {print s}'; rm f1*; ls | wc -l; ls | md5sum; rm f*; ls | wc -l

#@ deep-directories
d=.; for i in $(seq 1 60); do d=$d/directory$i; done; mkdir -p $d; echo deep > $d/f; cat $d/f; find . | wc -l; (cd $d; pwd | wc -c; cat ../directory60/f); rm -r directory1; ls | wc -l

#@ long-names
n=$(printf 'n%.0s' $(seq 1 255)); echo x > $n; ls | wc -c; cat $n; echo y > ${n}n 2>/dev/null; echo $?; mv $n short; cat short; mkdir $n; rmdir $n; ls; p=$(printf '/a%.0s' $(seq 1 3000)); cat $p 2>/dev/null; echo $?

#@ special-names
for n in 'a b' '$x' '*' "it's" 'tab	x' '-dash' 'nl
x' 'ümläut' '\back'; do echo "$n" > "./$n"; done; ls | sort | od -An -c | tail -3; cat ./*; rm ./*; ls | wc -l

#@ rename-over
echo old > a; echo new > b; exec 3< a; mv b a; cat a; cat <&3; exec 3<&-; mkdir d e; touch d/x; mv -T e d 2>/dev/null; echo $?; rm d/x; mv -T e d; ls; ln a c; mv a c; ls

#@ unlinked-open
echo kept > f; exec 3< f; rm f; ls | wc -l; cat <&3; exec 3<&-; exec 4> g; rm g; echo gone >&4; exec 4>&-; ls | wc -l

#@ append-many
for i in 1 2 3 4; do (for j in $(seq 1 50); do echo "line $i $j" >> log; done) & done; wait; wc -l < log; sort log | md5sum

#@ big-file-checksum timeout=120
awk 'BEGIN { for (i = 0; i < 200000; i++) print "line number", i }' > big; wc -lc big; sha256sum big; md5sum big; cp big copy; cmp big copy && echo same; sha1sum copy; rm copy; dd if=big bs=1M count=2 2>/dev/null > p1; dd if=big bs=1M skip=2 2>/dev/null > p2; cat p1 p2 | cmp - big && echo joined

#@ sha-megabytes timeout=120
dd if=/dev/zero bs=64k count=128 2>/dev/null | tr '\0' 'x' > eight; sha256sum eight; sha512sum < eight; crc32 eight; tail -c 1000 eight | sha256sum; rm eight

#@ dev-nodes
echo x > /dev/null; head -c 5 /dev/zero | od -An -tx1; echo x > /dev/full 2>/dev/null; echo $?; head -c 16 /dev/urandom | wc -c; cat /dev/null; ls -l /dev/null /dev/zero | awk '{print substr($1,1,1),$5,$6}'; head -c 100000 /dev/zero | md5sum; [ "$(head -c 8 /dev/urandom | od -An -tx1)" != "$(head -c 8 /dev/urandom | od -An -tx1)" ] && echo differ; echo to-fd > /dev/stdout; echo e 2>&1 >/dev/null | cat; echo in | cat /dev/stdin

#@ mktemp-realpath
f=$(mktemp -p .); stat -c %a $f; d=$(mktemp -d ./x.XXXXXX); stat -c %a $d; mkdir r; ln -s r q; realpath q | sed 's,.*/,,'; readlink -f q/../r/none | sed 's,.*/,,'; basename /a/b.c .c; dirname /a/b/c; which ls cat

#@ install-and-diff
printf 'a\nb\nc\n' > x; printf 'a\nB\nc\nd\n' > y; diff x y; echo $?; diff -u x y | tail -n +3; diff x x && echo same; cmp x y; echo $?; diff -q x y; mkdir p q; cp x p/f; cp y q/f; diff -r p q | tail -n +2; diff -u x y > pat; patch x < pat; cmp x y && echo patched

#@ chroot
mkdir -p r/bin; cp /bin/busybox r/bin/; chroot r /bin/busybox sh -c 'echo in; /bin/busybox ls /; cd ..; /bin/busybox pwd'; chroot r /bin/none 2>/dev/null; echo $?

#@ cpio
mkdir d; echo a > d/a; ln -s a d/l; find d | sort | cpio -o -H newc 2>/dev/null > x.cpio; cpio -t < x.cpio 2>/dev/null; rm -r d; cpio -idm < x.cpio 2>/dev/null; cat d/l; ls d

#@ tree-copy
mkdir -p t; for i in $(seq 1 15); do mkdir -p t/$i/sub; for j in 1 2 3 4; do seq 1 $((i*j*20)) > t/$i/sub/$j; done; done; cp -a t u; diff -r t u && echo identical; (cd t; find . -type f | sort | xargs sha256sum) > sums; (cd u; sha256sum -c ../sums | grep -c OK); tar cf - t | (mkdir v; cd v; tar xf -); diff -r t v/t && echo untarred; rm -r t u v; ls

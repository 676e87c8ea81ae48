# SPDX-License-Identifier: BSD-2-Clause
# Tools that read and write text and archives.

#@ grep
printf 'apple\nBanana\ncherry pie\napple pie\n\n' > f; grep pie f; grep -c apple f; grep -n pie f; grep -v pie f; grep -i banana f; grep -E 'a(p+|n)' f; grep -o 'p*' f | head -3; grep -q none f; echo $?; grep -w pie f; grep -x apple f; grep -F '.' f; echo $?; mkdir d; cp f d; grep -r cherry d; grep -l pie f d/f; grep -A1 -B1 cherry f; grep -e apple -e Ban f; grep '^$' f | wc -l; grep -h pie f d/f; grep -m1 pie f; echo x | grep -s x none -; echo $?

#@ sed
seq 1 10 > f; sed -n 3p f; sed 2,8d f; sed 's/1/one/g' f | head -2; sed -n '/5/,/7/p' f; sed '$!d' f; sed -e 1i\\top -e '$a\\end' f | sed -n '1p;$p'; echo abc | sed 's/\(a\)\(b\)/\2\1/'; echo abc | sed 'y/abc/xyz/'; sed -n '$=' f; sed 5q f | tail -1; echo a.b | sed 's/\./-/'; echo hello | sed -E 's/(l+)/<\1>/'; sed -i s/3/three/ f; cat f | tr '\n' ' '; printf 'a\nb\nc\nd\n' | sed 'N;s/\n/+/'; printf 'x\ny\n' | sed -n 'H;${x;s/\n/,/g;p}'; echo aaa | sed s/a/b/2; echo 'a/b' | sed 's,/,|,'; printf '1\n2\n' | sed ':a;N;$!ba;s/\n/-/'

#@ awk
printf 'alice 30 x\nbob 25 y\ncarol 35 x\n' > f; awk '{print $1}' f; awk '$2>26' f; awk '{s+=$2} END {print s, NR, s/NR}' f; awk -F: '{print $1}' /etc/passwd | head -1; awk '{a[$3]++} END {for (k in a) print k, a[k]}' f | sort; awk 'BEGIN {printf "%5.2f %s %d %x\n", 3.14159, "s", 42.9, 255}'; awk '{print NF, length($0), toupper($1), substr($1,2,2), index($1,"o")}' f; awk 'BEGIN {n=split("a,b,c",p,","); print n, p[3]}'; awk '{gsub(/[aeiou]/,"*"); print}' f; awk -v v=9 'BEGIN {print v*v, 7%3, -7%3, 1e6}'; awk '/bob/,/carol/' f; awk 'BEGIN {while ((getline l < "f") > 0) n++; print n}'; awk 'function f(x) {return x<2?1:x*f(x-1)} BEGIN {print f(10)}'; awk 'BEGIN {"echo piped" | getline x; print x; system("echo sys"); print "sorted" | "sort"}'; awk 'BEGIN {print match("foobar", /o+/), RSTART, RLENGTH; print int(-3.7), -7%3}'; awk 'NR%2' f; awk 'BEGIN{OFS="-"; $3="c"; $1="a"; print; exit 3}'; echo $?

#@ awk-heavy
awk 'BEGIN { for (i = 1; i <= 50000; i++) { a[i % 997] += i * i; s = s "x" }; for (i = 0; i < 997; i += 100) print i, a[i]; print length(s) }'

#@ sort
printf '10\n9\n2\n33\n1\n' > n; sort n | tr '\n' ' '; sort -n n | tr '\n' ' '; sort -rn n | tr '\n' ' '; echo; printf 'b 2\na 3\nc 1\na 3\n' > f; sort f; sort -u f; sort -k2 f; sort -k2,2n -k1,1r f; printf 'x:3\ny:1\n' | sort -t: -k2; sort -c n 2>/dev/null; echo $?; printf 'B\na\nC\n' | sort -f; printf '1.5K\n2M\n100\n' | sort -h 2>/dev/null; sort -o f f; head -1 f; printf 'v1.10\nv1.9\n' | sort -V

#@ uniq-comm
printf 'a\na\nb\nc\nc\nc\n' > f; uniq f; uniq -c f; uniq -d f; uniq -u f; printf 'b\nc\nd\n' > g; uniq f > h; comm h g 2>/dev/null || diff h g; cut -c1 f | uniq | wc -l

#@ cut-paste-tr
printf 'a:b:c\nd:e:f\n' > f; cut -d: -f2 f; cut -d: -f1,3 f; cut -c2-3 f; cut -b1 f; cut -d: -f2- f; paste f f; paste -s -d, f; paste -d: f f | cut -d: -f4; echo hello | tr a-z A-Z; echo aabbcc | tr -s abc; echo a1b2 | tr -d 0-9; echo a1b2 | tr -cd '0-9\n'; echo abc | tr abc '\n\t '; echo x | tr x '\101'

#@ head-tail
seq 1 100 > f; head -3 f; tail -2 f; head -n -97 f; tail -n +99 f; head -c 5 f; tail -c 4 f; tail -n 1 f f; head -qn1 f f; seq 1 10 | tail -3; seq 1 100000 | tail -1; seq 1 100000 | head -1; tac f | head -1; rev f | sed -n 12p

#@ tail-follow
echo 1 > f; (sleep 0.3; echo 2 >> f; sleep 1.3; echo 3 >> f) & timeout 3 tail -f f; wait; echo end

#@ wc-nl-fold
printf 'one two\nthree\n\nfour' > f; wc f; wc -l f; wc -w < f; wc -c f f; wc -L f; nl f; nl -ba f; printf 'abcdefghij' | fold -w 4; echo; cat -n f; cat -A f; cat -b f; expand f; printf 'a\tb\n' | expand -t 4; printf 'a   b\n' | unexpand -a -t 4 | od -An -c

#@ od-hexdump
printf '\000\001\177\200\377ABC\n' > f; od -c f; od -An -tx1 f; od -b f; od -Ax -td2 f; od -An -tu4 -N4 f; od -j5 -An -c f; hexdump -C f; hexdump f; xxd f; xxd -p f; xxd -p f | xxd -r -p | cmp - f && echo same; printf '%s' aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa | od -c; strings f

#@ tee
echo x | tee a b; cat a b; echo y | tee -a a > /dev/null; cat a; seq 1 20000 | tee c | md5sum; md5sum < c; echo z | tee /nothere/x 2>/dev/null; echo $?

#@ tar
mkdir -p d/e; echo one > d/1; seq 1 1000 > d/e/2; ln -s 1 d/l; ln d/1 d/h; chmod 600 d/1; touch -d '2010-10-10 10:10:10' d/1 d/e/2 d; tar cf x.tar d/1 d/e d/h d/l; tar tf x.tar; mkdir o; tar xf x.tar -C o; diff -r d o/d && echo same; stat -c '%a %Y %h' o/d/1; tar czf x.tgz d; tar tzf x.tgz | wc -l; mkdir p; tar xzf x.tgz -C p; diff -r d p/d && echo same; tar cf - d | tar tf - | wc -l; tar xOf x.tar d/1; tar xf x.tar -C o d/1; tar tvf x.tar d/1 | awk '{print $1,$2,$3,$4,$5}'; tar xf none.tar 2>/dev/null; echo $?; printf garbage | tar xf - 2>/dev/null; echo $?

#@ gzip
seq 1 10000 > f; cp f g; gzip f; ls; gunzip -c f.gz | cmp - g && echo same; gunzip f.gz; ls; gzip -9 < g | zcat | md5sum; md5sum < g; gzip -c g > h.gz; gzip -t h.gz; echo $?; printf junk > j.gz; gunzip j.gz 2>/dev/null; echo $?; cat h.gz h.gz | zcat | wc -l; gzip -k -f g; ls; gzip -d -c < h.gz | tail -1

#@ bzip2-xz-lzma
printf 'QlpoOTFBWSZTWbPq2kUAAAHZgAAQQAAQABJAYIAgACGAxPUCDLKFmWi7kinChIWf1tIo' | base64 -d > a.bz2; bzcat a.bz2 | od -An -c; printf junk | xzcat 2>/dev/null; echo $?; printf junk | bunzip2 2>/dev/null; echo $?

#@ checksums
printf abc > f; md5sum f; sha1sum f; sha256sum f; sha512sum f; sha3sum f; crc32 f; cksum f 2>/dev/null; sum f 2>/dev/null; md5sum f > s; md5sum -c s; echo x >> f; md5sum -c s 2>/dev/null; echo $?; md5sum < /dev/null

#@ base64-uuencode
printf 'hello\377\000' | base64; echo aGVsbG8= | base64 -d; echo; seq 1 100 > f; base64 f | base64 -d | cmp - f && echo same; uuencode f name < f | uudecode -o - | cmp - f && echo same

#@ expr-seq-factor
expr 3 + 4; expr 7 \* 6; expr 10 / 3; expr 10 % 3; expr abc : 'a\(.\)c'; expr length hello; expr substr hello 2 3; expr 3 \> 2; expr 1 = 2; echo $?; seq 3; seq 2 5; seq 1 3 10; seq -s, 1 5; seq 5 -2 1; seq -w 8 11; factor 360 97; echo '2^64; 7/3; scale=5; 22/7; obase=16; 255' | bc; echo '3 4 + 2 * p' | dc

#@ date-cal
TZ=UTC date -d @0; TZ=UTC date -d @1234567890 '+%Y-%m-%d %H:%M:%S %a %b %j %u %s'; TZ=UTC date -d '2000-02-29 12:00' +%s; TZ=EST5 date -d @0 +%H; cal 2 2024; date -d nonsense 2>/dev/null; echo $?; [ $(date +%Y) -ge 2024 ] && echo sane

#@ ed
printf 'one\ntwo\nthree\n' > f; printf '2s/two/TWO/\n1d\n$a\nfour\n.\nw\n,p\nq\n' | ed f; cat f

#@ vi-keys
stty rows 24 cols 80 < /dev/tty 2> /dev/null; stty size < /dev/tty
. /tests/keys
printf 'first line\nsecond line\nthird line\n' > f
vi f < /dev/tty | after_first 'ddiinserted \033A!\033jo new line\033:%s/line/LINE/g\r:wq\r'; cat f
seq 1 20 > f; vi f < /dev/tty | after_first '5Gdd3Gyyp:10,12d\rGoend\033ggOtop\033/15\rcwfifteen\033xu:x\r'; cat f
vi f < /dev/tty | after_first 'dG:q!\r'; wc -l f; vi new < /dev/tty | after_first 'ia\rb\rc\033kdd:wq\r'; cat new

#@ dos2unix
printf 'a\r\nb\r\n' > f; dos2unix f; od -An -c f; unix2dos f; od -An -c f

#@ shuf-split-misc
seq 1 50 | shuf | sort -n | md5sum; yes x | head -1000 | sha1sum; printf 'a b\n' | tsort 2>/dev/null; ts < /dev/null; printf '3\n1\n' | sort | paste -s; echo hello | rev; factor 12; ascii | md5sum; mkpasswd -m md5 -S abcdefgh secret

#@ less-more
seq 1 5 | more; seq 1 5 | less; seq 1 3 > f; more f; less f

#@ ar-rpm-unzip
echo a > a; echo b > b; ar rc x.a a b 2>/dev/null; ar t x.a 2>/dev/null; ar p x.a b 2>/dev/null; printf 'UEsDBAoAAAAAAAAAIQDH7v/vBgAAAAYAAAAFAAAAYS50eHRoZWxsbwpQSwECFAAKAAAAAAAAACEAx+7/7wYAAAAGAAAABQAAAAAAAAAAAAAAAAAAAAAAYS50eHRQSwUGAAAAAAEAAQAzAAAAKQAAAAAA' | base64 -d > z.zip; unzip -l z.zip 2>/dev/null | tail -1; unzip -p z.zip 2>/dev/null

#@ large-pipe-data
seq 1 300000 | tee a | sha256sum; sha256sum < a; cat a a a | wc -c; cat a | cat | cat | md5sum; rm a

#@ hundred-pipelines timeout=120
i=0; while [ $i -lt 100 ]; do (seq 1 200 | sort -rn | head -1 > out$i) & i=$((i+1)); done; wait; cat out* | uniq -c

# SPDX-License-Identifier: BSD-2-Clause
"""Large programs of Debian, dynamically linked: the loader's pattern of mappings works, and text is shared."""

import os
import subprocess

from axolib import debian, guest, host

PYTHON = '''
import collections, decimal, hashlib, json, mmap, os, random, re, struct, subprocess, sys, tempfile, threading, zlib
random.seed(5)
words = [''.join(random.choice('abcdef') for _ in range(5)) for _ in range(2000)]
print(collections.Counter(words).most_common(3), hashlib.sha256(' '.join(words).encode()).hexdigest())
print(json.loads(json.dumps({'a': [1, 2.5, None, 'x' * 20]})), decimal.Decimal(2).sqrt(), re.sub('a+', '-', 'baaac'))
print(len(zlib.decompress(zlib.compress(b'axolotl' * 10000))), struct.pack('<IH', 7, 9).hex())
total = []
threads = [threading.Thread(target=lambda n=n: total.append(sum(range(n * 1000)))) for n in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(sum(total), subprocess.run(['/bin/echo', 'from', 'a', 'child'], capture_output=True).stdout)
with tempfile.TemporaryFile() as file:
    file.write(bytes(range(256)) * 64)
    file.flush()
    with mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as area:
        print(len(area), area[300], area.find(bytes([9, 10])))
big = {i: str(i) * 3 for i in range(50000)}
print(len(big), sum(len(value) for value in big.values()))
try:
    os.stat('/nowhere')
except OSError as error:
    print(error)
pid = os.fork()
if pid == 0:
    os._exit(len(big) % 7)
print(os.waitpid(pid, 0)[1], sys.version_info[:2])
'''

BASH = '''
declare -A map; for word in one two three; do map[$word]=${#word}; done
for word in one two three; do echo "$word ${map[$word]}"; done
fib() { local n=$1; ((n < 2)) && echo $n || echo $(($(fib $((n - 1))) + $(fib $((n - 2))))); }; fib 8
list=({1..20}); echo "${list[@]: -3}" "${#list[@]}"; [[ abc123 =~ ([a-z]+)([0-9]+) ]] && echo "${BASH_REMATCH[2]}"
coproc cat; echo through >&"${COPROC[1]}"; read -r line <&"${COPROC[0]}"; echo "$line"; kill $COPROC_PID
while read -r a b; do echo "$b-$a"; done <<< "x y"; printf '%s\\n' b a c | sort | tr '\\n' ' '; trap 'echo bye' EXIT
'''

# up FILE: waits for it. free: pages that nobody uses, or that hold copies of files.
SHELL = ('up() { while [ ! -e $1 ]; do sleep 0.1; done; }; '
         'free() { awk \'$1 == "free" {print $2}\' /proc/axolotl/memory; }; ')
WAITING = 'import json, re, os, sys, signal; open(sys.argv[1], "w").close(); signal.pause()'


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)


def on_this_machine(*command):
    return subprocess.run(command, text=True, stdin=subprocess.DEVNULL, capture_output=True, check=True,
                          env={'PATH': '/usr/bin:/bin'}).stdout


def test_python(kind):
    """python3 with its libraries: the same output as here, and its text once for two of them (VM-33, EXE-05)."""
    with guest.Scratch() as scratch:
        top = scratch.file('top')
        debian.add_python(top)
        write(top + '/root/script.py', PYTHON)
        write(top + '/root/waiting.py', WAITING)
        script = (SHELL + 'cd /tmp; for i in 1 2; do /usr/bin/python3 -I /root/script.py; done; '
                  'python3 -I /root/waiting.py /tmp/up0 & up up0; kill $!; wait $! 2>/dev/null; a=$(free); '
                  'python3 -I /root/waiting.py /tmp/up1 & p=$!; up up1; b=$(free); '
                  'python3 -I /root/waiting.py /tmp/up2 & up up2; c=$(free); '
                  'echo "pages $((a - b)) $((b - c)) $(cut -d" " -f2 /proc/$p/statm)"; kill %1 %2')
        result = guest.execute(script, '--overlay', top, kind=kind, limit=180)
        reference = on_this_machine('/usr/bin/python3', '-I', top + '/root/script.py')
        lines = result.out.splitlines(True)
        facts = [line.split() for line in lines if line.startswith('pages ')]
        guest.expect(len(facts) == 1 and ''.join(lines[:-1]) == reference * 2, 'here:', reference, 'there:', result)
        own, resident = int(facts[0][2]), int(facts[0][3])
        guest.expect(own > 0 and resident - own > 1000,
                     f'{own} pages of its own, {resident} resident: no shared text', result)


def test_bash(kind):
    """Debian's dynamically linked bash."""
    with guest.Scratch() as scratch:
        top = scratch.file('top')
        debian.add_program('/usr/bin/bash', top)
        write(top + '/root/script', BASH)
        result = guest.execute('PATH=/usr/bin:/bin /usr/bin/bash /root/script', '--overlay', top, kind=kind)
        guest.expect_output(result, on_this_machine('/usr/bin/bash', top + '/root/script'))

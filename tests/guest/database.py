# SPDX-License-Identifier: BSD-2-Clause
"""SQLite, Debian's program: databases larger than memory, and machines that stop in the middle of transactions."""

import os
import re

from axolib import debian, guest, image

# Rows of a kilobyte that their number determines; they are changed in one transaction, indexed, and read back.
FILL = '''pragma synchronous=full; pragma cache_size=500;
create table rows(number integer primary key, body text);
with recursive n(i) as (select 1 union all select i + 1 from n where i < {rows})
insert into rows select i, printf('%d:%.*c', i, 1000 + i % 50, char(97 + i % 26)) from n;
'''
CHANGE = '''pragma synchronous=full; pragma cache_size=500; pragma mmap_size=1000000000;
begin; update rows set body = body || 'u' where number % 7 = 3; delete from rows where number % 11 = 5; commit;
create index by_end on rows(substr(body, -30), number);
begin; update rows set body = 'gone' where number < 1000; rollback;
'''
READ = '''pragma mmap_size={mapped}; pragma cache_size=500;
select count(*), sum(length(body)), sum(number) from rows;
select count(*) from rows where body like '5%u';
select count(*), max(number) from rows where body = 'gone';
pragma integrity_check;
'''


def expected(rows):
    left = [i for i in range(1, rows + 1) if i % 11 != 5]
    lengths = sum(len(f'{i}:') + 1000 + i % 50 + (i % 7 == 3) for i in left)
    fives = sum(1 for i in left if str(i)[0] == '5' and (i % 7 == 3 or i % 26 == 20))
    return f'{len(left)}|{lengths}|{sum(left)}\n{fives}\n0|\nok\n'


def root_with_sqlite(scratch, scripts):
    """A root image with sqlite3 and the scripts {name: text} in /root."""
    top = scratch.file('top')
    debian.add_program('/usr/bin/sqlite3', top)
    os.makedirs(top + '/root', exist_ok=True)
    for name, text in scripts.items():
        with open(f'{top}/root/{name}', 'w', encoding='utf-8') as file:
            file.write(text)
    root = scratch.file('root')
    os.mkdir(root)
    image.fill_default(root)
    image.copy_over(top, root)
    disk = scratch.file('disk.img')
    image.make(root, disk, image.DEFAULT_MIB, owner=os.getuid())
    return disk


def test_larger_than_memory(kind):
    """A database of 44 MB in 40 MiB, read and written, and mapped into memory (VM-33, VM-35)."""
    rows = 36000
    with guest.Scratch() as scratch:
        disk = root_with_sqlite(scratch, {'fill': FILL.format(rows=rows), 'change': CHANGE,
                                          'read': READ.format(mapped=0), 'mapped': READ.format(mapped=1000000000)})
        script = ('cd /root; for i in fill change read mapped; do sqlite3 data < $i; done; '
                  '[ $(stat -c %s data) -gt 42000000 ] || echo small')
        result = guest.execute(script, '--root', disk, '--mem', '40', kind=kind, limit=300)
        guest.expect_output(result, '1000000000\n0\n' + expected(rows) + '1000000000\n' + expected(rows))
        guest.fsck(disk)


def transactions(journal, mapped, first, count):
    """Transactions that each move an amount from one account to the next, and tell when they are committed."""
    # With full alone the journal's removal, which is the commit, may not be on the disk yet.
    yield f'pragma journal_mode={journal}; pragma mmap_size={mapped}; pragma synchronous=extra;'
    for i in range(first, first + count):
        yield (f'begin; update accounts set amount = amount - {i} where id = {i % 500}; '
               f'insert into log values({i}, printf("%.*c", 700 + {i} % 1000, "x")); '
               f'update accounts set amount = amount + {i} where id = {(i + 1) % 500}; commit; '
               f"select 'committed {i}.';")


SETUP = '''create table accounts(id integer primary key, amount integer);
create table log(number integer primary key, note text);
with recursive n(i) as (select 0 union all select i + 1 from n where i < 499)
insert into accounts select i, 1000 from n;
'''
CHECK = ('sqlite3 /root/bank "pragma integrity_check; select sum(amount), count(*) from accounts; '
         'select count(*), max(number) from log;"')


def test_power_cut(kind):
    """QEMU is killed in the middle of transactions: each whose commit was told is there, whole, and no other half."""
    with guest.Scratch() as scratch:
        rounds = [('delete', 0, 9), ('delete', 1 << 30, 23), ('truncate', 0, 37), ('persist', 1 << 30, 5)]
        scripts = {'setup': SETUP}
        for number, (journal, mapped, _) in enumerate(rounds):
            scripts[f'round{number}'] = '\n'.join(transactions(journal, mapped, number * 10000 + 1, 3000))
        disk = root_with_sqlite(scratch, scripts)
        guest.expect_output(guest.execute('sqlite3 /root/bank < /root/setup; sync', '--root', disk, kind=kind), '')
        told = 0
        for number, (_, _, commits) in enumerate(rounds):
            command = f'cd /root; exec sqlite3 bank < round{number}'
            with guest.Console(kind, disk, command=command, mem=64) as console:
                console.wait_for(rf'committed {number * 10000 + commits}\.', 60)
                console.machine.process.kill()
                console.machine.end()
                shown = re.findall(rb'committed (\d+)\.', console.shown)
            told += len(shown)
            result = guest.execute(CHECK, '--root', disk, kind=kind)
            lines = result.out.split('\n')
            guest.expect(lines[0] == 'ok' and lines[1] == '500000|500', f'round {number}', result)
            count, last = (int(field) for field in lines[2].split('|'))
            # One more may have been committed whose message did not get out any more.
            guest.expect(told <= count <= told + 1 and last in (int(shown[-1]), int(shown[-1]) + 1),
                         f'round {number}: told {told}, last {shown[-1]}', result)
            told = count
        guest.fsck(disk)

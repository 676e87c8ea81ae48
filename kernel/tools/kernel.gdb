# SPDX-License-Identifier: BSD-2-Clause
# For gdb on the kernel (qemu -s; gdb -x kernel/tools/kernel.gdb BUILD/kernel/axolotl.elf; target remote :1234).

define ps
  set $i = 0
  while $i < kernel.proc_count
    set $p = &kernel.procs[$i]
    if ($p->rts & 1) == 0
      printf "%5d %-15s rts %5x flags %2x prio %2d from %6d to %6d call %4d ip %lx sp %lx\n", $p->endpoint, $p->name, $p->rts, $p->flags, $p->priority, $p->receive_from, $p->send_to, $p->call, $p->arch.frame.rip, $p->arch.frame.rsp
    end
    set $i = $i + 1
  end
end
document ps
All processes: endpoint, name, run-time flags (abi/kcall.h), whom they receive from and send to, system call, registers.
end

define ktrace
  set $n = kernel.trace_count
  set $i = $n > $arg0 ? $n - $arg0 : 0
  while $i < $n
    set $r = &kernel.trace[$i % (sizeof(kernel.trace) / sizeof(kernel.trace[0]))]
    printf "%14lu %6d event %2d %lx %lx\n", $r->tsc, $r->proc, $r->event, $r->a, $r->b
    set $i = $i + 1
  end
end
document ktrace
The last ARG events of the trace ring (abi/trace.h).
end

define kdiag
  set $i = kernel.diag_end > 4000 ? kernel.diag_end - 4000 : 0
  while $i < kernel.diag_end
    printf "%c", kernel.diag[$i % sizeof(kernel.diag)]
    set $i = $i + 1
  end
end
document kdiag
The last 4000 bytes of the diagnostics buffer.
end

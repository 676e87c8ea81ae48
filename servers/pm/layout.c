/* SPDX-License-Identifier: BSD-2-Clause */
/* The structures that another version of PM goes on with: tools/layout.py makes a number of them.
 */
#include "servers/pm/event.h"
#include "servers/pm/notice.h"
#include "servers/pm/pm.h"

extern const struct pm *const layout_pm;
extern const struct backlog_entry *const layout_backlog_entry;
extern const struct posix_timer *const layout_posix_timer;
extern const struct sigqueue_entry *const layout_sigqueue_entry;
extern const struct trace_ended *const layout_trace_ended;
extern const struct watch *const layout_watch;

const struct pm *const layout_pm;
const struct backlog_entry *const layout_backlog_entry;
const struct posix_timer *const layout_posix_timer;
const struct sigqueue_entry *const layout_sigqueue_entry;
const struct trace_ended *const layout_trace_ended;
const struct watch *const layout_watch;

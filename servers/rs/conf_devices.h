/* SPDX-License-Identifier: BSD-2-Clause */
/* The statements of a declaration that name devices and what belongs to them. Each reads its
 * arguments up to the ';': 0, or -EINVAL with the error filled in. No number may stand twice. */
#pragma once

#include "servers/rs/words.h"

int conf_read_chr(struct parser *p);
int conf_read_blk(struct parser *p);
int conf_read_pci(struct parser *p);
int conf_read_io(struct parser *p);
int conf_read_mem(struct parser *p);
int conf_read_irq(struct parser *p);

/* SPDX-License-Identifier: BSD-2-Clause */
/* The structures that another version of tmp goes on with: tools/layout.py makes a number of them.
 */
#include "fs/tmp/tmp.h"
#include "lib/fs/cache_impl.h"

extern const struct tmp_fs *const layout_tmp_fs;
extern const struct fs_cache *const layout_fs_cache;

const struct tmp_fs *const layout_tmp_fs;
const struct fs_cache *const layout_fs_cache;

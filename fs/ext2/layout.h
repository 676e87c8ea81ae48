/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The on-disk structures of ext2, revisions 0 and 1. All numbers are little-endian; the machines
 * this runs on are as well (asserted where the file system is mounted).
 */
#pragma once

#include <stdint.h>

#define EXT2_SUPER_OFFSET 1024 /* bytes from the start of the device */
#define EXT2_SUPER_SIZE   1024
#define EXT2_MAGIC        0xef53

#define EXT2_REV_ORIGINAL         0
#define EXT2_REV_DYNAMIC          1
#define EXT2_ORIGINAL_INODE_SIZE  128
#define EXT2_ORIGINAL_FIRST_INODE 11

/* state */
#define EXT2_STATE_VALID 1
#define EXT2_STATE_ERROR 2

/* errors: what to do when the file system is found damaged */
#define EXT2_ERRORS_CONTINUE  1
#define EXT2_ERRORS_READ_ONLY 2

/* feature_compat */
#define EXT2_COMPAT_DIR_INDEX 0x0020
/* feature_ro_compat */
#define EXT2_RO_COMPAT_SPARSE_SUPER 0x0001
#define EXT2_RO_COMPAT_LARGE_FILE   0x0002
#define EXT2_RO_COMPAT_BTREE_DIR    0x0004
#define EXT2_RO_COMPAT_SUPPORTED \
	(EXT2_RO_COMPAT_SPARSE_SUPER | EXT2_RO_COMPAT_LARGE_FILE | EXT2_RO_COMPAT_BTREE_DIR)
/* feature_incompat */
#define EXT2_INCOMPAT_FILETYPE  0x0002
#define EXT2_INCOMPAT_SUPPORTED EXT2_INCOMPAT_FILETYPE

struct ext2_super {
	uint32_t inodes_count;
	uint32_t blocks_count;
	uint32_t reserved_blocks_count;
	uint32_t free_blocks_count;
	uint32_t free_inodes_count;
	uint32_t first_data_block;
	uint32_t log_block_size; /* block size is 1024 << this */
	uint32_t log_fragment_size;
	uint32_t blocks_per_group;
	uint32_t fragments_per_group;
	uint32_t inodes_per_group;
	uint32_t mount_time;
	uint32_t write_time;
	uint16_t mount_count;
	uint16_t max_mount_count;
	uint16_t magic;
	uint16_t state;
	uint16_t errors;
	uint16_t minor_revision;
	uint32_t last_check;
	uint32_t check_interval;
	uint32_t creator_os;
	uint32_t revision;
	uint16_t reserved_uid;
	uint16_t reserved_gid;
	/* From here on: revision 1. */
	uint32_t first_inode;
	uint16_t inode_size;
	uint16_t block_group;
	uint32_t feature_compat;
	uint32_t feature_incompat;
	uint32_t feature_ro_compat;
	uint8_t uuid[16];
	char volume_name[16];
	char last_mounted[64];
	uint32_t algorithm_bitmap;
	uint8_t prealloc_blocks;
	uint8_t prealloc_dir_blocks;
	uint16_t reserved_gdt_blocks;
	uint8_t journal_uuid[16];
	uint32_t journal_inode;
	uint32_t journal_device;
	uint32_t last_orphan; /* head of the list of unlinked inodes still in use */
	uint32_t hash_seed[4];
	uint8_t default_hash_version;
	uint8_t journal_backup_type;
	uint16_t descriptor_size;
	uint32_t default_mount_options;
	uint32_t first_meta_group;
	uint32_t mkfs_time;
	uint32_t journal_blocks[17];
	uint32_t blocks_count_high;
	uint32_t reserved_blocks_high;
	uint32_t free_blocks_high;
	uint16_t min_extra_isize;
	uint16_t want_extra_isize;
	uint32_t flags;
	uint8_t rest[EXT2_SUPER_SIZE - 356];
};

_Static_assert(sizeof(struct ext2_super) == EXT2_SUPER_SIZE, "super block is 1024 bytes");

struct ext2_group {
	uint32_t block_bitmap; /* block numbers */
	uint32_t inode_bitmap;
	uint32_t inode_table;
	uint16_t free_blocks_count;
	uint16_t free_inodes_count;
	uint16_t used_dirs_count;
	uint16_t flags;
	uint32_t reserved[3];
};

_Static_assert(sizeof(struct ext2_group) == 32, "group descriptor is 32 bytes");

#define EXT2_ROOT_INO 2

#define EXT2_DIRECT_BLOCKS 12
#define EXT2_SINGLE        12
#define EXT2_DOUBLE        13
#define EXT2_TRIPLE        14
#define EXT2_BLOCK_SLOTS   15

/* inode flags */
#define EXT2_FLAG_IMMUTABLE   0x00000010
#define EXT2_FLAG_APPEND      0x00000020
#define EXT2_FLAG_INDEX       0x00001000 /* the directory has a hash tree */
#define EXT2_FLAG_EXTENTS     0x00080000
#define EXT2_FLAG_INLINE_DATA 0x10000000
#define EXT2_FLAG_EA_INODE    0x00200000
/* What a new node takes over from its directory. */
#define EXT2_FLAGS_INHERITED 0x000000cb /* secrm, unrm, sync, noatime, nodump */

#define EXT2_LINK_MAX 32000

struct ext2_inode {
	uint16_t mode;
	uint16_t uid_low;
	uint32_t size_low;
	uint32_t atime;
	uint32_t ctime;
	uint32_t mtime;
	uint32_t dtime; /* of deletion; in the orphan list: the next inode */
	uint16_t gid_low;
	uint16_t links_count;
	uint32_t blocks; /* 512-byte units, metadata included */
	uint32_t flags;
	uint32_t version;
	uint32_t block[EXT2_BLOCK_SLOTS];
	uint32_t generation;
	uint32_t file_acl;  /* block of extended attributes */
	uint32_t size_high; /* of regular files */
	uint32_t fragment_addr;
	uint8_t fragment_number;
	uint8_t fragment_size;
	uint16_t blocks_high;
	uint16_t uid_high;
	uint16_t gid_high;
	uint16_t checksum_low;
	uint16_t reserved;
	/* From here on: only in inodes of more than 128 bytes, as far as extra_isize says. */
	uint16_t extra_isize;
	uint16_t checksum_high;
	uint32_t ctime_extra; /* nanoseconds << 2 | high bits of the seconds */
	uint32_t mtime_extra;
	uint32_t atime_extra;
	uint32_t crtime;
	uint32_t crtime_extra;
	uint32_t version_high;
	uint32_t project;
};

_Static_assert(sizeof(struct ext2_inode) == 160, "inode with its extra fields is 160 bytes");
#define EXT2_EXTRA_ISIZE 32 /* what this code fills in of the extra fields */

struct ext2_dirent {
	uint32_t inode;
	uint16_t rec_len;
	uint8_t name_len;
	uint8_t file_type; /* high byte of name_len without the filetype feature */
	char name[];
};

#define EXT2_DIRENT_HEADER        8
#define EXT2_DIRENT_LEN(name_len) ((EXT2_DIRENT_HEADER + (uint32_t)(name_len) + 3) & ~3u)

enum ext2_file_type {
	EXT2_FT_UNKNOWN,
	EXT2_FT_REG,
	EXT2_FT_DIR,
	EXT2_FT_CHR,
	EXT2_FT_BLK,
	EXT2_FT_FIFO,
	EXT2_FT_SOCK,
	EXT2_FT_SYMLINK,
};

/* The head of a block of extended attributes, which several inodes may share. */
#define EXT2_XATTR_MAGIC 0xea020000u
struct ext2_xattr_header {
	uint32_t magic;
	uint32_t refcount;
	uint32_t blocks;
	uint32_t hash;
	uint32_t reserved[4];
};

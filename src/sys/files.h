/* SPDX-License-Identifier: MIT */
/*
 * Files of a realm: made complete and then linked into place, reserved before
 * they are touched, mapped so that a forked child does not inherit them.
 *
 * All calls return 0 (or a descriptor, or a count) or a negative errno of the
 * system, unmapped: the caller knows the names for the sentence.  A descriptor is
 * never 0, 1 or 2, whatever the program has closed.
 */
#ifndef FERRYI_SYS_FILES_H
#define FERRYI_SYS_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

int ferryi_open_directory(const char *path); /* not through a final symlink */
int ferryi_make_directory(const char *path, unsigned mode); /* exact mode */

/* Open `name` in a directory for reading and writing; no symlink is followed. */
int ferryi_open_at(int dir, const char *name);
int ferryi_open_read_at(int dir, const char *name);

/*
 * A new unnamed file in `dir`.  Where the file system has none, a file named
 * FERRYI_UNFINISHED followed by digits, which the name out_name (32 bytes)
 * tells; it is "" for an unnamed one.
 */
#define FERRYI_UNFINISHED ".unfinished."
int ferryi_file_new(int dir, char out_name[32]);

/* Give it its name: -EEXIST when that is taken.  Atomic. */
int ferryi_file_publish(int dir, int fd, const char *temporary,
			const char *name);

int ferryi_unlink(int dir, const char *name);

/* Mode and group exactly as given, whatever the umask. */
int ferryi_set_access(int fd, unsigned mode, int64_t gid);

int ferryi_resize(int fd, uint64_t size);

/* Make sure that the bytes have memory: -ENOSPC now instead of SIGBUS later. */
int ferryi_reserve(int fd, uint64_t at, uint64_t len);

ssize_t ferryi_read_at(int fd, void *buf, size_t len, uint64_t at);
ssize_t ferryi_write_at(int fd, const void *buf, size_t len, uint64_t at);

/*
 * Memory without a name, reserved, and sealed: nobody can make it smaller or
 * larger any more.  A descriptor.
 */
int ferryi_memory_new(uint64_t size);

/* Of memory that came from another process: its size, or -EINVAL when it is
 * not sealed like that. */
int64_t ferryi_memory_size(int fd);

/* Map for reading and writing, shared, not inherited by fork. */
void *ferryi_map(int fd, uint64_t size);
void ferryi_unmap(void *base, uint64_t size);

int ferryi_stat(int fd, struct stat *st);
int ferryi_stat_path(const char *path, struct stat *st); /* no symlink */
int ferryi_stat_at(int dir, const char *name, struct stat *st);
void ferryi_close(int fd);

/* No longer close-on-exec. */
int ferryi_keep_over_exec(int fd);

/* Whether `fd` still is this file: somebody may have closed it behind our back. */
bool ferryi_is_file(int fd, dev_t dev, ino_t ino);

/* Bytes free and in all of the file system of `fd`. */
int ferryi_space(int fd, uint64_t *out_free, uint64_t *out_total);

/* The real path of an open directory, for people; "?" without /proc. */
void ferryi_path_of(int fd, char *buf, size_t size);

/* Call `each` for every name in the directory but "." and "..". */
int ferryi_each_name(int dir, int (*each)(const char *name, void *arg),
		     void *arg);

#endif

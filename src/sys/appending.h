/* SPDX-License-Identifier: MIT */
/*
 * Regular files that are appended to and read at positions, and word of what others
 * do to them.
 *
 * All calls return >= 0 or a negative errno of the system, unmapped.  None waits for
 * another process; EINTR is handled here; descriptors are close-on-exec from birth.
 */
#ifndef FERRYI_SYS_APPENDING_H
#define FERRYI_SYS_APPENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

/* Open a file that is there, to read, or to read and write.  Symbolic links are
 * followed; a FIFO does not wait. */
int ferryi_append_open(const char *path, bool write);

/* Make it, with exactly this mode.  -EEXIST. */
int ferryi_append_create(const char *path, unsigned mode);

int ferryi_append_remove(const char *path);

/* What a path is, symbolic links followed. */
int ferryi_append_stat(const char *path, struct stat *st);

/* All of it at one position; never SIGXFSZ.  After an error a part may be there. */
int ferryi_append_write(int fd, const struct iovec *v, int n, uint64_t at);

/* Until the disk has it; and the name of a file in its directory. */
int ferryi_append_sync(int fd);
int ferryi_append_sync_name(const char *path);

/* `len` bytes and then one more, from one moment.  How many came. */
ssize_t ferryi_append_read(int fd, void *buf, size_t len, char *last,
			   uint64_t at);

/* The path from the root, so that a change of directory does not matter. */
int ferryi_append_path(const char *path, char *out, size_t size);

/*
 * A descriptor that can be read when the open file `fd` is written to, moved or
 * removed (inotify).  Who shares it after a fork shares the news.
 */
int ferryi_append_watch(int fd);
void ferryi_append_heard(int watch); /* forget what there was */

#endif

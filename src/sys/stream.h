/* SPDX-License-Identifier: MIT */
/*
 * Bytes through descriptors that are not sockets: pipes, files, terminals.
 *
 * All calls return >= 0 or a negative errno of the system, unmapped.  EINTR is
 * handled here, SIGPIPE never reaches the program, and every descriptor is
 * close-on-exec from birth.
 */
#ifndef FERRYI_SYS_STREAM_H
#define FERRYI_SYS_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What a descriptor is, as far as moving bytes is concerned. */
enum ferryi_fd_kind {
	FERRYI_FD_FILE,
	FERRYI_FD_PIPE,	  /* a FIFO as well */
	FERRYI_FD_DEVICE, /* a terminal, a serial line, /dev/null */
	FERRYI_FD_SOCKET,
	FERRYI_FD_OTHER, /* a directory, an eventfd ... */
};

/* The kind of `fd`, or -EBADF. */
int ferryi_fd_kind(int fd);

/* Its access mode, O_RDONLY, O_WRONLY or O_RDWR, or -EBADF. */
int ferryi_fd_access(int fd);

/* Whether its open file description is set to block. */
bool ferryi_fd_blocks(int fd);

/* A second descriptor of the same description. */
int ferryi_fd_dup(int fd);

/*
 * An open file description of its own for the pipe `fd` (through /proc), which
 * blocks or not, so that the flags of the caller's one stay as they are.
 */
int ferryi_pipe_reopen(int fd, bool blocks);

/* A pipe, out[0] to read and out[1] to write, both non-blocking. */
int ferryi_pipe(int out[2]);

/* Whether poll() would return at once for `events` (POLLIN, POLLOUT). */
bool ferryi_fd_ready(int fd, short events);

/* One read or write, as much as goes.  0 of a read is the end. */
ssize_t ferryi_fd_read(int fd, void *buf, size_t size);
ssize_t ferryi_fd_write(int fd, const void *data, size_t len);

#endif

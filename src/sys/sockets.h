/* SPDX-License-Identifier: MIT */
/*
 * Sockets: UNIX ones by name, and bytes or messages through any.
 *
 * All calls return >= 0 or a negative errno of the system, unmapped.  None
 * waits, whatever the flags of the description; EINTR is handled here; SIGPIPE
 * is never raised; every descriptor is close-on-exec from birth.
 *
 * The file has an s, because src/ is searched before the system's
 * <sys/socket.h>.
 */
#ifndef FERRYI_SYS_SOCKETS_H
#define FERRYI_SYS_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "sys/names.h"

#define FERRYI_SOCKET_PATH_MAX 107 /* bytes sockaddr_un has for a name */

enum ferryi_socket_type {
	FERRYI_SOCKET_STREAM,
	FERRYI_SOCKET_SEQPACKET,
	FERRYI_SOCKET_DGRAM,
	FERRYI_SOCKET_LISTENER,
	FERRYI_SOCKET_OTHER,
};

/* A UNIX socket without a name; two connected ones. */
int ferryi_socket(enum ferryi_socket_type type);
int ferryi_socket_pair(enum ferryi_socket_type type, int out[2]);

/* `name` is a path, or "@NAME" for the abstract name space. */
int ferryi_socket_bind(int fd, const char *name, unsigned mode);
int ferryi_socket_bind_any(int fd); /* an abstract one that is free */
int ferryi_socket_connect(int fd, const char *name);
int ferryi_socket_listen(int fd);
int ferryi_socket_accept(int fd);

/*
 * Lock an open directory, so that one process at a time decides about the
 * socket files in it.  0, or -EAGAIN.  A flock(2): a directory cannot be opened
 * for writing, which record locks ask for.
 */
int ferryi_directory_lock_try(int dir);
void ferryi_directory_unlock(int dir);

/* The permission bits of a file, whatever the umask. */
int ferryi_chmod_at(int dir, const char *name, unsigned mode);

/* What an open socket is, and whether it has a peer to send to. */
int ferryi_socket_type(int fd);
bool ferryi_socket_is_connected(int fd);

/* Who connected or listened, at that time.  pid 0: of a foreign name space. */
int ferryi_socket_peer(int fd, pid_t *pid, uid_t *uid, gid_t *gid);

/* The socket's own name, and that of its peer; -ENOTCONN. */
int ferryi_socket_name(int fd, struct ferryi_name *out);
int ferryi_socket_peer_name(int fd, struct ferryi_name *out);

/* The path that a socket, or the one that it was accepted from, is bound to. */
int ferryi_socket_path(int fd, char out[FERRYI_SOCKET_PATH_MAX + 1]);

/* End one direction or both. */
int ferryi_socket_shutdown(int fd, bool sending, bool receiving);

/* Bytes to and from a stream.  0 of a receive is the end. */
ssize_t ferryi_socket_send(int fd, const void *data, size_t len);
ssize_t ferryi_socket_recv(int fd, void *buf, size_t size);

/* Take what is there, up to some KiB, and forget it: who floods us must not keep
 * us.  -ENODATA: the end; else 0. */
int ferryi_socket_drain(int fd);

/* One message to a name; its length. */
ssize_t ferryi_socket_send_to(int fd, const struct ferryi_name *to,
			      const void *data, size_t len);

/*
 * Let the kernel put the sender's credentials on each message that comes in:
 * the only thing by which an empty message of a seqpacket socket differs from
 * its end.  Without it ferryi_socket_next() takes an empty message for the end.
 */
int ferryi_socket_mark_messages(int fd);

/* The length of the first message.  -ENODATA: the end. */
ssize_t ferryi_socket_next(int fd);

/* The same of datagrams, with who sent it. */
ssize_t ferryi_socket_next_from(int fd, struct ferryi_name *from);

/* Throw the first message away. */
ssize_t ferryi_socket_drop(int fd);

/* What comes with a message. */
struct ferryi_came {
	struct ferryi_name from; /* size 0: the sender has no name */
	bool known;		 /* the kernel vouches for the rest */
	pid_t pid;
	uid_t uid;
	gid_t gid;
};

/*
 * Take the first message, which is `len` bytes long as ferryi_socket_next() said.
 * -EMSGSIZE: somebody else took that one, and what came instead has been cut or was
 * empty; -ENODATA: the end.
 */
ssize_t ferryi_socket_take(int fd, void *buf, size_t len);

/* The same, with who sent it and room for `size` bytes. */
ssize_t ferryi_socket_take_from(int fd, void *buf, size_t size,
				struct ferryi_came *came);

/* The largest message that can be sent now, or an error. */
ssize_t ferryi_socket_largest(int fd);

#endif

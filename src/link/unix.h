/* SPDX-License-Identifier: MIT */
/* What the files of unix: share. */
#ifndef FERRYI_LINK_UNIX_H
#define FERRYI_LINK_UNIX_H

#include <sys/stat.h>

#include "link/endpoint.h"
#include "sys/sockets.h"

struct ferryi_figures;
struct ferryi_traces;

struct ferryi_unix {
	struct ferryi_endpoint end; /* first */

	/* a door: the file that is ours to remove */
	enum ferryi_socket_type type;
	bool dir_open, bound;
	bool locked_out; /* another one had the lock on the directory */
	int dir;
	char file[FERRYI_SOCKET_PATH_MAX + 1]; /* its name in dir; "": none */
	dev_t dev;
	ino_t ino;
	uint32_t generation; /* of the process that made it */

	bool has_destination; /* datagrams: connected */
	bool crowded; /* the receiver of the last ferry_send_to() was full */
};

/* Waiting for others that cannot be polled for. */
#define FERRYI_UNIX_LOOK_AGAIN FERRY_MS(2)

/* type= of an address. */
int ferryi_unix_type(const struct ferryi_address *a,
		     enum ferryi_socket_type *out);

/* -EINVAL with a sentence when the rest cannot name a socket. */
int ferryi_unix_check_name(const struct ferryi_address *a);

/* A socket that is connected to `name`.  -EAGAIN: the backlog is full. */
int ferryi_unix_connect(struct ferry_link *l, const char *name,
			enum ferryi_socket_type type);

/* -EINVAL with a sentence when the path leads to what is no socket, else 0. */
int ferryi_unix_no_socket(const char *address, const char *path);

/* The socket of the link, of state(l)->type, unless it has one. */
int ferryi_unix_make(struct ferry_link *l);

/* Listen, or bind a socket for datagrams, at `name`, with the mode= of the address.
 * state(l)->type is set. */
int ferryi_unix_listen_at(struct ferry_link *l, const struct ferryi_address *a,
			  const char *name);

/* Make a link of a connected socket.  The link closes it, also on failure. */
int ferryi_unix_use(struct ferry_link *l, int fd, enum ferryi_socket_type type);

/* mode= is of who makes a file. */
int ferryi_unix_refuse_mode(const struct ferryi_address *a);

/* unix_datagram.c */
extern const struct ferryi_messages ferryi_unix_datagrams;
int ferryi_unix_open_datagrams(struct ferry_link *l,
			       const struct ferryi_address *a);

/* For the transport's table. */
int ferryi_unix_listen(struct ferry_link *l, const struct ferryi_address *a);
int ferryi_unix_accept(struct ferry_link *door, struct ferry_link *peer);
void ferryi_unix_fini(struct ferry_link *l);
int ferryi_unix_destroy(const char *rest);
int ferryi_unix_identify(const char *rest, struct ferryi_traces *out);
int ferryi_unix_figures(const char *rest, struct ferryi_figures *out);
int ferryi_unix_names(int (*each)(const char *rest, void *arg), void *arg);

#endif

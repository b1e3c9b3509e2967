/* SPDX-License-Identifier: MIT */
/*
 * The TCP and UDP sockets of this network namespace, whosever they are, as /proc/net
 * lists them.
 */
#ifndef FERRYI_SYS_INET_SOCKETS_H
#define FERRYI_SYS_INET_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>

#include "sys/names.h"

struct ferryi_inet_socket {
	unsigned char address[16]; /* its own; IPv4 within IPv6 */
	bool every;		   /* it is that of all of this machine */
	bool v6;
	unsigned port;
	bool listens, connected;
	uint32_t sending,
		waiting; /* bytes; of a door, connections are waiting */
	uint64_t inode;	 /* 0: it is nobody's any longer */
};

/* A line of /proc/net/tcp or udp; with `v6` one of tcp6 or udp6.  Pure.  -EINVAL. */
int ferryi_inet_socket_parse(const char *line, bool v6,
			     struct ferryi_inet_socket *out);

/* Its own address and port, as in an address: "127.0.0.1:5", "[::1]:5", "*:5". */
void ferryi_inet_socket_format(const struct ferryi_inet_socket *s,
			       char out[FERRYI_NAME_TEXT]);

/*
 * Whether what comes to `n` may come to this socket: it has the address, or all of them.
 * One that has all of IPv6 may take IPv4 as well.  Pure.
 */
bool ferryi_inet_socket_is(const struct ferryi_inet_socket *s,
			   const struct ferryi_name *n);

/*
 * Calls each() for every one of "tcp" or "udp", of both kinds; what it returns other
 * than 0 ends it, and is returned.  0, or -errno without /proc/net.
 */
int ferryi_inet_sockets(const char *protocol,
			int (*each)(const struct ferryi_inet_socket *s,
				    void *arg),
			void *arg);

#endif

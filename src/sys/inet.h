/* SPDX-License-Identifier: MIT */
/*
 * TCP and UDP sockets.  As in sys/sockets.h: a negative errno of the system,
 * nothing waits, every descriptor is close-on-exec.
 */
#ifndef FERRYI_SYS_INET_H
#define FERRYI_SYS_INET_H

#include <stdbool.h>

#include "sys/names.h"

/*
 * A socket for addresses of the kind of `like`.  An IPv6 one takes IPv4 as well if
 * `both`.
 */
int ferryi_inet_socket(const struct ferryi_name *like, bool stream, bool both);
bool ferryi_inet_is_for_both(int fd);

/* A port that connections of the past still hold may be bound (TCP). */
int ferryi_inet_reuse(int fd);

int ferryi_inet_bind(int fd, const struct ferryi_name *n);
int ferryi_inet_listen(int fd, int backlog);
int ferryi_inet_accept(int fd, struct ferryi_name *out_from);

/* 0, or -EINPROGRESS: when it can be written, ferryi_inet_error() tells. */
int ferryi_inet_connect(int fd, const struct ferryi_name *n);

/* What has happened to the socket, once: 0 or a negative errno. */
int ferryi_inet_error(int fd);

/* It has connected to itself: that happens where nobody listens at a port that the
 * system, or bind=, has chosen for this end. */
bool ferryi_inet_met_itself(int fd);

/* Small writes go at once. */
int ferryi_inet_no_delay(int fd);

/* Ask a silent peer after so many seconds, and give it up after twice as many; 0:
 * as the system does. */
int ferryi_inet_keep_alive(int fd, unsigned seconds);

/* Datagrams to broadcast addresses. */
int ferryi_inet_broadcast(int fd);

#endif

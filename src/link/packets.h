/* SPDX-License-Identifier: MIT */
/*
 * Messages through sockets that keep them apart: what unix:, udp: and fd: put into
 * their tables.  The kernel only copies, so loans and takes are of copies.h.
 *
 * A link's messages are for one process: when two receive from the same socket, as
 * parent and child may, one of them may find a message cut (-EBADMSG).
 */
#ifndef FERRYI_LINK_PACKETS_H
#define FERRYI_LINK_PACKETS_H

#include "link/endpoint.h"

/* Members of struct ferryi_messages.  To receive is to ask next_len first, so a
 * transport whose own one passes over messages need not replace the others. */
int ferryi_packet_send(struct ferry_link *l, const void *data, size_t len);
int ferryi_packet_send_fds(struct ferry_link *l, const void *data, size_t len,
			   const int *fds, unsigned n);
ssize_t ferryi_packet_recv(struct ferry_link *l, void *buf, size_t size);
ssize_t ferryi_packet_recv_fds(struct ferry_link *l, void *buf, size_t size,
			       int *fds, unsigned *n);
ssize_t ferryi_packet_next_len(struct ferry_link *l);
int ferryi_packet_loan(struct ferry_link *l, size_t len,
		       struct ferry_message *m);
int ferryi_packet_commit(struct ferry_link *l, struct ferry_message *m);
int ferryi_packet_take(struct ferry_link *l, struct ferry_message *m);
int ferryi_packet_end(struct ferry_link *l, struct ferry_message *m);

/* The sentence of -EMSGSIZE. */
int ferryi_packet_too_large(struct ferry_link *l, size_t len);

/* The table of most; what one has beside it it adds. */
#define FERRYI_PACKETS                                                         \
	FERRYI_PACKETS_BUT_NEXT, .next_len = ferryi_packet_next_len
#define FERRYI_PACKETS_BUT_NEXT                                                \
	.recv = ferryi_packet_recv, .loan = ferryi_packet_loan,                \
	.commit = ferryi_packet_commit, .abandon = ferryi_packet_end,          \
	.take = ferryi_packet_take, .release = ferryi_packet_end

extern const struct ferryi_messages ferryi_messages_of_socket;

#endif

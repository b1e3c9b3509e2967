/* SPDX-License-Identifier: MIT */
/*
 * Messages over a stream, when the address says framing=line, nul or len32.
 *
 * Receiving keeps what has come: a deadline in mid-message loses nothing, the
 * next call goes on.  Sending cannot give back what it has written: when a
 * deadline or cancel falls inside a frame, the sending side is broken for good,
 * says so, and tells the peer by ending the stream.  A frame of at most 4096
 * bytes goes as one piece, so it is never cut by a deadline on a pipe or UNIX
 * socket.
 *
 * Called with the turn of the direction.  test/conform proves it on every
 * stream.
 */
#ifndef FERRYI_LINK_FRAMING_H
#define FERRYI_LINK_FRAMING_H

#include "link/link.h"
#include "wire/address.h"

#define FERRYI_FRAMING_MAX (1u << 20) /* the longest message, unless max= */

/*
 * Read framing= and max= of an address.  *out stays NULL when the transport's
 * own framing is wanted.  The maximum bounds what a peer can make us hold.
 */
int ferryi_framing_new(struct ferryi_framing **out,
		       const struct ferryi_address *a);

/* The same settings for another link; NULL for NULL.  -ENOMEM. */
int ferryi_framing_copy(struct ferryi_framing **out,
			const struct ferryi_framing *f);

void ferryi_framing_free(struct ferryi_framing *f);

/* Has it read more than it has delivered?  NULL has not. */
bool ferryi_framing_holds(const struct ferryi_framing *f);

/* One attempt each, as in transport.h. */
ssize_t ferryi_framing_recv(struct ferry_link *l, void *buf, size_t size);
ssize_t ferryi_framing_next_len(struct ferry_link *l);

/* A whole message, with the waiting that it needs. */
int ferryi_framing_send(struct ferry_link *l, const void *data, size_t len,
			ferry_time deadline);

#endif

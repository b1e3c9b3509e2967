/* SPDX-License-Identifier: MIT */
/*
 * Framings: how messages stand in a stream of bytes.
 *
 *	line	the message, then '\n'		it may hold no '\n'
 *	nul	the message, then a zero byte	it may hold no zero byte
 *	len32	its length, then the message	u32, little-endian
 *
 * Pure: no I/O, no allocation.  The bytes to decode are foreign: a length is
 * compared with the maximum before it is used, and nothing is read twice.
 */
#ifndef FERRYI_WIRE_FRAME_H
#define FERRYI_WIRE_FRAME_H

#include <stddef.h>
#include <stdint.h>

enum ferryi_frame_kind {
	FERRYI_FRAME_LINE,
	FERRYI_FRAME_NUL,
	FERRYI_FRAME_LEN32,
};

#define FERRYI_FRAME_OVERHEAD 4	   /* bytes a frame adds, at most */
#define FERRYI_FRAME_FIRST    4096 /* what is written at one go */

/* The kind called `name`, or -EINVAL. */
int ferryi_frame_kind(const char *name);
const char *ferryi_frame_name(enum ferryi_frame_kind kind);

/*
 * A frame being written.  The message's bytes stay where they are; only as
 * many as fit one write are copied behind the head, so that a small frame is
 * one piece.  It points into itself and the message: not to be copied.
 */
struct ferryi_frame_out {
	const unsigned char *data;
	size_t len;   /* of the message */
	size_t total; /* of the frame */
	size_t sent;  /* how much the caller has written so far */
	size_t head;  /* 0 or 4 */
	size_t n_first;
	unsigned char tail;
	unsigned char first[FERRYI_FRAME_FIRST];
};

/*
 * 0; -EMSGSIZE: longer than `max`; -EINVAL: it holds the byte that ends a
 * message.
 */
int ferryi_frame_begin(struct ferryi_frame_out *o, enum ferryi_frame_kind kind,
		       const void *data, size_t len, size_t max);

/* The next bytes to write: their number, 0 when all are sent. */
size_t ferryi_frame_piece(const struct ferryi_frame_out *o, const void **out);

/* A message found in a buffer. */
struct ferryi_frame_in {
	size_t at; /* where the message starts */
	size_t len;
	size_t total; /* what to drop from the buffer with it */
};

/*
 * Look for a whole message in the first `len` bytes of `buf`.  1: found; 0:
 * more bytes are needed; -EBADMSG: no message of at most `max` bytes can
 * stand here.  *scanned, 0 for a new message, remembers how far an earlier
 * look got, so that a long line is searched once.
 */
int ferryi_frame_find(enum ferryi_frame_kind kind, const void *buf, size_t len,
		      size_t max, size_t *scanned, struct ferryi_frame_in *out);

#endif

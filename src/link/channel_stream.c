/* SPDX-License-Identifier: MIT */
/*
 * Bytes through a channel: in messages of up to PIECE bytes, of which the reader
 * takes what it has room for; a short write in one.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "link/channel.h"

#define PIECE (16u << 10)

/* A write of at most 4096 bytes goes as a whole or not at all, a longer one as
 * far as there is room: how much there has to be. */
static uint64_t least(uint64_t len)
{
	return len <= 4096 ? len : 1;
}

static ssize_t channel_write(struct ferry_link *l, const void *data, size_t len)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	uint64_t n;
	void *place;
	int r = ferryi_channel_begin_send(l);

	if (r < 0)
		return r;
	n = ferryi_min(ferryi_min(len, PIECE), ferryi_ring_largest(c->out.n));
	while ((r = ferryi_channel_lend(l, n, &place)) == -EAGAIN &&
	       n > least(len))
		n = ferryi_max(n / 2, least(len));
	if (r < 0)
		return r;
	memcpy(place, data, n);
	r = ferryi_ring_commit(&c->out, n, false);
	if (r < 0)
		return r;
	ferryi_channel_committed(c);
	return (ssize_t)n;
}

/* The next piece of which something is to be read. */
static int begin_part(struct ferry_link *l)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	int r = ferryi_channel_next(l, &c->part);

	if (r == 0 && (c->part.beside || c->part.len == 0))
		r = ferryi_channel_nonsense(l);
	if (r == 0)
		r = ferryi_channel_take_this(c, &c->part);
	c->has_part = r == 0;
	c->part_done = 0;
	return r;
}

static ssize_t channel_read(struct ferry_link *l, void *buf, size_t size)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	uint64_t n;
	int r = c->has_part ? ferryi_channel_enter(l) : begin_part(l);

	if (r < 0)
		return r;
	n = ferryi_min(size, c->part.len - c->part_done);
	memcpy(buf, (uint8_t *)c->part.data + c->part_done, n);
	c->part_done += (uint32_t)n;
	if (c->part_done == c->part.len) {
		ferryi_channel_finish(c, c->part.at);
		c->has_part = false;
	}
	return (ssize_t)n;
}

const struct ferryi_stream ferryi_stream_of_channel = {
	.write = channel_write,
	.read = channel_read,
};

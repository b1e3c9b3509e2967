/* SPDX-License-Identifier: MIT */
/* See channel.h. */
#include "shm/channel.h"

#include <errno.h>

static uint64_t ring_bytes(uint32_t ring_log2)
{
	return (uint64_t)FERRYI_SLOT << ring_log2;
}

static uint64_t checksum(const struct ferryi_channel_header *h)
{
	return ferryi_checksum(h, offsetof(struct ferryi_channel_header,
					   checksum));
}

uint64_t ferryi_channel_bytes(uint32_t ring_log2)
{
	return sizeof(struct ferryi_channel_segment) +
	       2 * ring_bytes(ring_log2);
}

void ferryi_channel_format(struct ferryi_channel_segment *s, uint32_t ring_log2,
			   uint32_t flags, int64_t created_at)
{
	s->header = (struct ferryi_channel_header){
		.preamble = { .magic = FERRYI_MAGIC,
			      .format = FERRYI_FORMAT,
			      .word_bits = 64,
			      .kind = FERRYI_KIND_CHANNEL,
			      .header_bytes = sizeof s->header,
			      .total_bytes = ferryi_channel_bytes(ring_log2),
			      .created_at = created_at },
		.ring_log2 = ring_log2,
		.flags = flags,
	};
	s->header.checksum = checksum(&s->header);
}

int ferryi_channel_check(const struct ferryi_channel_header *h,
			 uint64_t file_bytes, const char **out_why)
{
	int r = ferryi_preamble_check(&h->preamble, FERRYI_KIND_CHANNEL,
				      file_bytes, out_why);

	if (r < 0)
		return r;
	if (h->preamble.header_bytes == sizeof *h &&
	    h->checksum == checksum(h) &&
	    h->ring_log2 >= FERRYI_CHANNEL_LOG2_MIN &&
	    h->ring_log2 <= FERRYI_CHANNEL_LOG2_MAX &&
	    !(h->flags & ~FERRYI_CHANNEL_FLAGS) &&
	    file_bytes == ferryi_channel_bytes(h->ring_log2))
		return 0;
	*out_why = "its header is damaged";
	return -EBADMSG;
}

void ferryi_channel_ring(struct ferryi_ring *r,
			 struct ferryi_channel_segment *s, uint32_t ring_log2,
			 unsigned side, uint64_t *bits)
{
	ferryi_ring_attach(r, &s->ring[side],
			   s->slots + side * ring_bytes(ring_log2),
			   (uint64_t)1 << ring_log2, bits);
}

/* SPDX-License-Identifier: MIT */
/* See layout.h.  Pure arithmetic over a private copy of the header. */
#include "shm/layout.h"

#include <errno.h>
#include <ferry/base.h>
#include <ferry/mailbox.h>
#include <stddef.h>
#include <string.h>

/* A class never spans more than this, so that a segment stays mappable. */
#define CLASS_BYTES_MAX	    ((uint64_t)64 << 30)
#define TURN_POSITION_BITS  36 /* laps and positions before a cell repeats */
#define TURN_POSITION_LEAST 34
#define FIRST_CHUNKS	    32u

unsigned ferry_format_version(void)
{
	return FERRYI_FORMAT;
}

/* FNV-1a: a header is checked against accidents, not against enemies. */
uint64_t ferryi_checksum(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t sum = 0xcbf29ce484222325ull;

	while (len--)
		sum = (sum ^ *p++) * 0x100000001b3ull;
	return sum;
}

static int refuse(const char **out_why, int err, const char *why)
{
	*out_why = why;
	return err;
}

static int check_choice(const struct ferryi_choice *c, const char **out_why)
{
	if (c->capacity < 1 || c->capacity > FERRYI_CAPACITY_MAX)
		return refuse(out_why, -EINVAL,
			      "capacity must be 1 to 16777216 messages");
	if (c->message_max > FERRYI_MESSAGE_MAX)
		return refuse(out_why, -EINVAL,
			      "the largest message can be at most 1 GiB");
	if (c->full > FERRY_FULL_DROP_OLD)
		return refuse(out_why, -EINVAL, "full has no such value");
	if (c->delivery > FERRY_AT_MOST_ONCE)
		return refuse(out_why, -EINVAL, "delivery has no such value");
	if (c->persistence > FERRY_PERSIST_KERNEL)
		return refuse(out_why, -EINVAL,
			      "persistence has no such value");
	if (c->trust > FERRY_TRUST_GROUP)
		return refuse(out_why, -EINVAL, "trust has no such value");
	if (c->max_deliveries > 254)
		return refuse(out_why, -EINVAL,
			      "the delivery limit can be at most 254");
	if (memchr(c->dead_letter, 0, sizeof c->dead_letter) == NULL)
		return refuse(out_why, -EINVAL,
			      "the dead-letter name is too long");
	return 0;
}

static void add_class(struct ferryi_header *h, uint64_t size, uint64_t count)
{
	struct ferryi_class *k = &h->classes[h->n_classes++];

	if (size && count * size > CLASS_BYTES_MAX)
		count = CLASS_BYTES_MAX / size;
	if (h->choice.bytes_max && size && count * size > h->choice.bytes_max)
		count = h->choice.bytes_max / size + 1;
	k->size = size;
	k->first = h->n_chunks;
	k->count = (uint32_t)ferryi_max(count, 2);
	h->n_chunks += k->count;
}

/* Home chunks, inline spares for when those are held, then pools by size. */
static void plan_classes(struct ferryi_header *h)
{
	const struct ferryi_choice *c = &h->choice;
	uint64_t spare = c->capacity + c->capacity / 4 + 16;
	uint64_t last = ferryi_round_up(c->message_max, 64), size;

	add_class(h, 0, (uint64_t)1 << h->shape.ring_log2);
	add_class(h, 0, c->capacity / 4 + 16);
	if (c->message_max <= FERRYI_INLINE)
		return;
	for (size = 256; size < last; size *= 4)
		add_class(h, size, spare);
	add_class(h, last, spare);
}

static uint64_t place(struct ferryi_header *h)
{
	uint64_t at = FERRYI_HEADER_BYTES + FERRYI_CONTROL_BYTES;

	h->records_at = at;
	at += (uint64_t)h->n_chunks * sizeof(struct ferryi_record);
	for (uint32_t k = 0; k < h->n_classes; k++) {
		at = ferryi_round_up(at, FERRYI_PAGE);
		h->classes[k].payload_at = at;
		at += h->classes[k].size * h->classes[k].count;
	}
	return ferryi_round_up(at, FERRYI_PAGE);
}

/*
 * The index needs what it needs; the turn as much as keeps an old position from
 * looking new; the generation gets the rest, and at least two bits more than
 * the ring has positions, in each of which a chunk may have left a stale cell.
 */
static bool divide_cell(struct ferryi_cell_shape *s)
{
	int rest = 63 - s->index_bits, least = s->ring_log2 + 2;
	int turn = TURN_POSITION_BITS - s->ring_log2;

	if (rest - turn < least)
		turn = rest - least;
	if (turn + s->ring_log2 < TURN_POSITION_LEAST)
		return false;
	s->turn_bits = (uint8_t)turn;
	s->gen_bits = (uint8_t)ferryi_min((uint64_t)(rest - turn), 32);
	s->turn_bits = (uint8_t)(rest - s->gen_bits);
	return true;
}

int ferryi_layout_plan(struct ferryi_header *h, const struct ferryi_choice *c,
		       const char **out_why)
{
	int r = check_choice(c, out_why);

	if (r < 0)
		return r;
	memset(h, 0, sizeof *h);
	h->choice = *c;
	h->shape.ring_log2 =
		(uint8_t)ferryi_max(ferryi_log2_up(c->capacity), 1);
	plan_classes(h);
	h->shape.index_bits = (uint8_t)ferryi_log2_up(h->n_chunks);
	if (!divide_cell(&h->shape))
		return refuse(
			out_why, -EINVAL,
			"capacity times sizes needs too many chunks (lower "
			"the capacity or the largest message)");
	h->preamble.magic = FERRYI_MAGIC;
	h->preamble.format = FERRYI_FORMAT;
	h->preamble.word_bits = 64;
	h->preamble.kind = FERRYI_KIND_MAILBOX;
	h->preamble.header_bytes = sizeof *h;
	h->preamble.total_bytes = place(h);
	if (c->bytes_max && c->bytes_max < ferryi_layout_ring_bytes(h))
		return refuse(out_why, -EINVAL,
			      "the byte limit is less than its queue needs: 8 "
			      "KiB and 256 bytes for each message of the "
			      "capacity, rounded up to a power of two");
	return 0;
}

int ferryi_preamble_check(const struct ferryi_preamble *p, uint32_t kind,
			  uint64_t file_bytes, const char **out_why)
{
	if (p->magic != FERRYI_MAGIC)
		return refuse(out_why, -EBADMSG, "it is not a file of ferry's");
	if (p->format != FERRYI_FORMAT)
		return refuse(out_why, -EPROTO,
			      "its format is of another version");
	if (p->word_bits != 64 || p->must_know != 0)
		return refuse(out_why, -EPROTO,
			      "it needs features that this version lacks");
	if (p->kind != kind)
		return refuse(out_why, -EBADMSG,
			      "it is another kind of object");
	if (p->total_bytes != file_bytes)
		return refuse(
			out_why, -EBADMSG,
			"its size is wrong: it was truncated or extended");
	return 0;
}

static int check_classes(const struct ferryi_header *h)
{
	uint64_t chunks = 0, bytes = h->preamble.total_bytes;
	uint64_t free_from =
		h->records_at + h->n_chunks * sizeof(struct ferryi_record);
	const struct ferryi_class *k;

	if (h->n_classes < 2 || h->n_classes > FERRYI_CLASSES ||
	    h->classes[0].count != 1u << h->shape.ring_log2 ||
	    h->classes[0].size || h->classes[1].size)
		return -EBADMSG;
	for (uint32_t i = 0; i < h->n_classes; i++) {
		k = &h->classes[i];
		if (k->count < 1 || k->first != chunks ||
		    k->size > FERRYI_MESSAGE_MAX || k->size % 64 ||
		    (i > 2 && k->size <= h->classes[i - 1].size) ||
		    k->payload_at % FERRYI_PAGE || k->payload_at > bytes ||
		    k->payload_at < free_from ||
		    k->size * k->count > bytes - k->payload_at)
			return -EBADMSG;
		chunks += k->count;
		free_from = k->payload_at + k->size * k->count;
	}
	if (h->choice.message_max > FERRYI_INLINE &&
	    h->classes[h->n_classes - 1].size < h->choice.message_max)
		return -EBADMSG;
	if (chunks != h->n_chunks || chunks > (uint64_t)1
						      << h->shape.index_bits)
		return -EBADMSG;
	return 0;
}

int ferryi_layout_check(const struct ferryi_header *h, uint64_t file_bytes,
			const char **out_why)
{
	const struct ferryi_cell_shape *s = &h->shape;
	int r = ferryi_preamble_check(&h->preamble, FERRYI_KIND_MAILBOX,
				      file_bytes, out_why);

	if (r < 0)
		return r;
	*out_why = "its header is damaged";
	if (h->preamble.header_bytes != sizeof *h ||
	    h->checksum != ferryi_checksum(h, offsetof(struct ferryi_header,
						       checksum)))
		return -EBADMSG;
	if (check_choice(&h->choice, out_why) < 0)
		return -EBADMSG;
	*out_why = "its header is damaged";
	if (s->ring_log2 < 1 || s->ring_log2 > 24 || s->index_bits > 31 ||
	    s->gen_bits < s->ring_log2 + 1 || s->turn_bits < 3 ||
	    s->turn_bits + s->gen_bits + s->index_bits != 63 ||
	    h->choice.capacity > 1u << s->ring_log2)
		return -EBADMSG;
	if (h->records_at != FERRYI_HEADER_BYTES + FERRYI_CONTROL_BYTES ||
	    (uint64_t)h->n_chunks * sizeof(struct ferryi_record) >
		    file_bytes - h->records_at)
		return -EBADMSG;
	return check_classes(h);
}

uint32_t ferryi_layout_first_chunks(const struct ferryi_header *h)
{
	return (uint32_t)ferryi_min(FIRST_CHUNKS, h->classes[0].count);
}

uint64_t ferryi_layout_ring_bytes(const struct ferryi_header *h)
{
	return h->records_at +
	       (uint64_t)h->classes[0].count * sizeof(struct ferryi_record);
}

uint64_t ferryi_layout_first_bytes(const struct ferryi_header *h)
{
	return h->records_at + (uint64_t)ferryi_layout_first_chunks(h) *
				       sizeof(struct ferryi_record);
}

/* SPDX-License-Identifier: MIT */
/* See topic.h.  Pure arithmetic over a private copy of the header. */
#include "shm/topic.h"

#include <errno.h>
#include <string.h>
#include <ferry/mailbox.h>

static int refuse(const char **out_why, int err, const char *why)
{
	*out_why = why;
	return err;
}

static int check_choice(const struct ferryi_topic_choice *c,
			const char **out_why)
{
	if (c->capacity < 1 || c->capacity > FERRYI_TOPIC_CAPACITY_MAX)
		return refuse(out_why, -EINVAL,
			      "capacity must be 1 to 262144 messages");
	if (c->message_max > FERRYI_MESSAGE_MAX)
		return refuse(out_why, -EINVAL,
			      "the largest message can be at most 1 GiB");
	if (c->persistence > FERRY_PERSIST_KERNEL)
		return refuse(out_why, -EINVAL,
			      "persistence has no such value");
	if (c->trust > FERRY_TRUST_GROUP)
		return refuse(out_why, -EINVAL, "trust has no such value");
	return 0;
}

/* What follows from the choice. */
static void derive(struct ferryi_topic_header *h)
{
	uint64_t at = FERRYI_SLOTS_AT +
		      FERRYI_SUBSCRIBERS * sizeof(struct ferryi_topic_slot);

	h->ring_log2 = (uint8_t)ferryi_log2_up(h->choice.capacity + 1);
	h->n_chunks = (1u << h->ring_log2) + FERRYI_SPARE_CHUNKS;
	h->place = ferryi_round_up(ferryi_max(h->choice.message_max, 1), 64);
	h->cells_at = at;
	at += sizeof(uint64_t) << h->ring_log2;
	h->records_at = ferryi_round_up(at, 128);
	at = h->records_at + h->n_chunks * sizeof(struct ferryi_topic_record);
	h->places_at = ferryi_round_up(at, FERRYI_PAGE);
	h->preamble.total_bytes = ferryi_round_up(
		h->places_at + h->n_chunks * h->place, FERRYI_PAGE);
}

int ferryi_topic_plan(struct ferryi_topic_header *h,
		      const struct ferryi_topic_choice *c, const char **out_why)
{
	int r = check_choice(c, out_why);

	if (r < 0)
		return r;
	memset(h, 0, sizeof *h);
	h->choice = *c;
	h->preamble.magic = FERRYI_MAGIC;
	h->preamble.format = FERRYI_FORMAT;
	h->preamble.word_bits = 64;
	h->preamble.kind = FERRYI_KIND_TOPIC;
	h->preamble.header_bytes = sizeof *h;
	derive(h);
	return 0;
}

int ferryi_topic_check(const struct ferryi_topic_header *h, uint64_t file_bytes,
		       const char **out_why)
{
	struct ferryi_topic_header own = *h;
	int r = ferryi_preamble_check(&h->preamble, FERRYI_KIND_TOPIC,
				      file_bytes, out_why);

	if (r < 0)
		return r;
	if (check_choice(&h->choice, out_why) < 0)
		return -EBADMSG;
	derive(&own);
	if (h->preamble.header_bytes != sizeof *h ||
	    memcmp(&own, h, sizeof own) != 0 ||
	    h->checksum !=
		    ferryi_checksum(h, offsetof(struct ferryi_topic_header,
						checksum)))
		return refuse(out_why, -EBADMSG, "its header is damaged");
	return 0;
}

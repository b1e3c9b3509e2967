/* SPDX-License-Identifier: MIT */
/* How a topic stands, seen from outside: see segment.h. */
#include <string.h>

#include "realm/segment.h"
#include "shm/subscribe.h"
#include "sys/files.h"

static uint64_t tail_of(struct ferryi_view *v)
{
	uint64_t tail = 0;

	return ferryi_broadcast_tail(&v->topic, &tail) < 0 ? 0 : tail;
}

static void describe(const struct ferryi_topic_slot *slot, uint64_t word,
		     uint64_t tail, struct ferry_subscriber *out)
{
	uint64_t cursor = ferryi_load(&slot->cursor);

	memset(out, 0, sizeof *out);
	out->process.pid = (pid_t)ferryi_fetch(&slot->pid);
	out->process.start_time = ferryi_fetch(&slot->start_time);
	out->process.proof = FERRY_CLAIMED;
	out->policy = (enum ferry_policy)ferryi_min(
		ferryi_word_deliveries(word), FERRY_POLICY_DISCONNECT);
	out->disconnected = ferryi_fetch(&slot->is_cut) != 0;
	out->behind = cursor < tail ? tail - cursor : 0;
	out->delivered = ferryi_fetch(&slot->delivered);
	out->dropped = ferryi_fetch(&slot->dropped);
}

size_t ferryi_view_subscribers(struct ferryi_view *v,
			       struct ferry_subscriber *out, size_t n)
{
	uint64_t tail = tail_of(v);
	struct ferry_subscriber one;
	size_t found = 0;

	for (uint32_t i = 0; i < FERRYI_SUBSCRIBERS; i++) {
		const struct ferryi_topic_slot *slot = &v->topic.slots[i];
		uint64_t word = ferryi_load(&slot->word);

		if (ferryi_word_state(word) != FERRYI_LOAN)
			continue;
		describe(slot, word, tail, &one);
		if (found < n)
			out[found] = one;
		found++;
	}
	return found;
}

static void count(struct ferryi_view *v, struct ferry_topic_stat *st)
{
	struct ferry_subscriber all[FERRYI_SUBSCRIBERS];
	size_t n = ferryi_view_subscribers(v, all, FERRYI_SUBSCRIBERS);

	n = ferryi_min(n, FERRYI_SUBSCRIBERS);
	st->subscribers = ferryi_broadcast_subscribers(&v->topic);
	for (size_t i = 0; i < n; i++) {
		st->dropped += all[i].dropped;
		st->blocking += all[i].policy == FERRY_POLICY_BLOCK;
	}
}

void ferryi_view_topic_stat(struct ferryi_view *v, struct ferry_topic_stat *st)
{
	const struct ferryi_topic_choice *c = &v->topic_header.choice;
	struct ferryi_topic_control *w = v->topic.control;
	struct stat now = v->file;

	ferryi_stat(v->fd, &now);
	memset(st, 0, sizeof *st);
	st->size = sizeof *st;
	st->options = (struct ferry_topic_options)FERRY_TOPIC_OPTIONS;
	st->options.capacity = c->capacity;
	st->options.message_max = c->message_max;
	st->options.persistence = (enum ferry_persistence)c->persistence;
	st->options.trust = (enum ferry_trust)c->trust;
	st->options.mode = v->file.st_mode & 0777;
	st->options.group = (int64_t)v->file.st_gid;
	st->published = tail_of(v);
	st->kept = ferryi_min(st->published, c->capacity);
	st->bytes = (uint64_t)now.st_blocks * 512;
	st->dropped = ferryi_load(&w->dropped);
	st->disconnected = ferryi_load(&w->disconnected);
	st->repaired = ferryi_load(&w->repaired);
	st->users = ferryi_member_count(&v->users);
	st->closed = ferryi_load(&w->state) & FERRYI_CLOSED;
	count(v, st);
}

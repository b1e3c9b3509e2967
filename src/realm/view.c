/* SPDX-License-Identifier: MIT */
/* Looking at an object's file without joining it: see segment.h. */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "realm/segment.h"
#include "shm/recover.h"
#include "sys/files.h"

static int refuse(struct ferryi_view *v, int err, enum ferry_state state,
		  const char *why)
{
	v->state = state;
	v->why = why;
	ferryi_close(v->fd);
	v->fd = -1;
	return err;
}

/* The header is read once, into private memory; only that copy is used. */
static int read_header(struct ferryi_view *v)
{
	ssize_t n = ferryi_read_at(v->fd, &v->header, sizeof v->header, 0);

	if (n < (ssize_t)sizeof(struct ferryi_preamble))
		return n < 0 ? (int)n : -EBADMSG;
	if (n < (ssize_t)sizeof v->header)
		memset((char *)&v->header + n, 0, sizeof v->header - (size_t)n);
	v->kind = v->header.preamble.kind;
	return 0;
}

_Static_assert(sizeof(struct ferryi_topic_header) <=
		       sizeof(struct ferryi_header),
	       "read at once");

static int check_header(struct ferryi_view *v)
{
	uint64_t bytes = (uint64_t)v->file.st_size;

	return v->kind == FERRYI_KIND_TOPIC ?
		       ferryi_topic_check(&v->topic_header, bytes, &v->why) :
		       ferryi_layout_check(&v->header, bytes, &v->why);
}

static void attach(struct ferryi_view *v)
{
	if (v->kind == FERRYI_KIND_TOPIC) {
		v->persistence = v->topic_header.choice.persistence;
		ferryi_broadcast_attach(&v->topic, v->base, &v->topic_header);
		v->users = v->topic.users;
		return;
	}
	v->persistence = v->header.choice.persistence;
	ferryi_queue_attach(&v->queue, v->base, &v->header);
	v->users = v->queue.users;
}

int ferryi_view_open(struct ferryi_view *v, int fd)
{
	int r;

	memset(v, 0, sizeof *v);
	v->fd = fd;
	r = ferryi_stat(fd, &v->file);
	if (r < 0 || !S_ISREG(v->file.st_mode))
		return refuse(v, -EBADMSG, FERRY_FOREIGN,
			      "it is not a file of ferry's");
	if (read_header(v) < 0)
		return refuse(v, -EBADMSG, FERRY_FOREIGN,
			      "it is not a file of ferry's");
	r = check_header(v);
	if (r < 0)
		return refuse(v, r,
			      r == -EPROTO ? FERRY_OTHER_VERSION :
			      v->header.preamble.magic == FERRYI_MAGIC ?
					     FERRY_DAMAGED :
					     FERRY_FOREIGN,
			      v->why);
	v->base = ferryi_map(fd, v->header.preamble.total_bytes);
	if (!v->base)
		return refuse(v, -ENOMEM, FERRY_NO_ACCESS,
			      "there is no address space to map it");
	attach(v);
	v->state = FERRY_LIVE;
	return 0;
}

void ferryi_view_close(struct ferryi_view *v)
{
	if (v->fd < 0)
		return;
	ferryi_unmap(v->base, v->header.preamble.total_bytes);
	if (ferryi_is_file(v->fd, v->file.st_dev, v->file.st_ino))
		ferryi_close(v->fd);
	v->fd = -1;
}

uint32_t ferryi_view_recover(struct ferryi_view *v, uint32_t owner)
{
	struct ferryi_recovery done;

	if (v->kind == FERRYI_KIND_TOPIC)
		return ferryi_broadcast_recover(&v->topic, owner);
	ferryi_recover_owner(&v->queue, owner, FERRYI_ANY_HANDLE, &done);
	return done.freed + done.queued + done.returned + done.lost;
}

void ferryi_view_scrub(struct ferryi_view *v)
{
	if (v->kind == FERRYI_KIND_TOPIC)
		ferryi_broadcast_scrub(&v->topic);
	else
		ferryi_scrub(&v->queue);
}

bool ferryi_view_may_end(const struct ferryi_view *v)
{
	return v->persistence == FERRY_PERSIST_PROCESS ||
	       ferryi_is_retired(&v->users);
}

void ferryi_view_stat(const struct ferryi_view *v,
		      struct ferry_mailbox_stat *st)
{
	const struct ferryi_choice *c = &v->header.choice;
	struct ferryi_control *w = v->queue.control;
	struct ferryi_census census;
	struct stat now = v->file;

	ferryi_queue_census(&v->queue, &census);
	ferryi_stat(v->fd, &now);
	memset(st, 0, sizeof *st);
	st->size = sizeof *st;
	st->options = (struct ferry_mailbox_options)FERRY_MAILBOX_OPTIONS;
	st->options.capacity = c->capacity;
	st->options.message_max = c->message_max;
	st->options.bytes_max = c->bytes_max;
	st->options.full = (enum ferry_full)c->full;
	st->options.delivery = (enum ferry_delivery)c->delivery;
	st->options.persistence = (enum ferry_persistence)c->persistence;
	st->options.trust = (enum ferry_trust)c->trust;
	st->options.mode = v->file.st_mode & 0777;
	st->options.group = (int64_t)v->file.st_gid;
	st->options.max_deliveries = c->max_deliveries;
	memcpy(st->dead_letter, c->dead_letter, sizeof st->dead_letter);
	st->dead_letter[sizeof st->dead_letter - 1] = 0;
	st->options.dead_letter = st->dead_letter[0] ? st->dead_letter : NULL;
	st->queued = census.queued;
	st->held = census.chunks[FERRYI_HELD];
	st->returned = census.chunks[FERRYI_RETURNED];
	st->loaned = census.chunks[FERRYI_LOAN];
	st->bytes = (uint64_t)now.st_blocks * 512;
	st->sent = ferryi_load(&w->tail);
	st->taken = ferryi_load(&w->head);
	st->redelivered = ferryi_load(&w->counters.redelivered);
	st->dropped = ferryi_load(&w->counters.dropped);
	st->lost = ferryi_load(&w->counters.lost);
	st->rejected = ferryi_load(&w->counters.rejected);
	st->dead_lettered = ferryi_load(&w->counters.dead_lettered);
	st->repaired = ferryi_load(&w->counters.repaired);
	st->users = ferryi_member_count(&v->users);
	st->closed = ferryi_load(&w->state) & FERRYI_CLOSED;
	st->receivers_wait = ferryi_load(&w->gate[FERRYI_GATE_RECV]);
	st->senders_wait = ferryi_load(&w->gate[FERRYI_GATE_SPACE]) ||
			   ferryi_load(&w->gate[FERRYI_GATE_CHUNK]);
}

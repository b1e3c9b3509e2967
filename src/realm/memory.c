/* SPDX-License-Identifier: MIT */
/*
 * Memory for a growing mailbox: see segment.h.  It is reserved before anybody
 * touches it, so that a full file system is an error and not a signal.
 */
#include <errno.h>

#include "base/error.h"
#include "realm/segment.h"
#include "realm/state.h"
#include "sys/files.h"

int ferryi_fail_room(const struct ferryi_realm *r, const char *name, int err,
		     uint64_t wanted)
{
	uint64_t space = 0, total = 0;

	ferryi_space(r->dir, &space, &total);
	return ferryi_fail_sys(
		-err,
		"%s %s: %llu KiB wanted, %llu of %llu KiB free "
		"in %s (free some, or make the file system larger: "
		"mount -o remount,size=)",
		ferryi_file_noun(name), ferryi_file_name(name),
		(unsigned long long)wanted / 1024,
		(unsigned long long)space / 1024,
		(unsigned long long)total / 1024, r->path);
}

static bool has_fd(const struct ferryi_segment *s)
{
	return ferryi_is_file(ferryi_fetch(&s->view.fd), s->view.file.st_dev,
			      s->view.file.st_ino);
}

/* Our descriptor may have been closed behind our back and its number reused. */
static int own_fd(struct ferryi_segment *s)
{
	int fd = -ESTALE;

	if (has_fd(s))
		return ferryi_fetch(&s->view.fd);
	if (ferryi_realm_renew(s->realm) < 0)
		return -ESTALE;
	ferryi_realms_lock();
	if (has_fd(s)) { /* another thread was first */
		fd = s->view.fd;
	} else {
		fd = ferryi_open_at(s->realm->dir, s->name);
		if (ferryi_is_file(fd, s->view.file.st_dev,
				   s->view.file.st_ino)) {
			ferryi_put(&s->view.fd, fd);
		} else {
			ferryi_close(fd);
			fd = -ESTALE;
		}
	}
	ferryi_realms_unlock();
	return fd;
}

uint64_t ferryi_segment_bytes(const struct ferryi_segment *s)
{
	struct stat st;

	return ferryi_stat(ferryi_fetch(&s->view.fd), &st) < 0 ?
		       0 :
		       (uint64_t)st.st_blocks * 512;
}

/* The limit keeps room for places of the ring that have no memory yet, so that
 * an empty mailbox can always be used again. */
static uint64_t ring_to_come(const struct ferryi_segment *s)
{
	const struct ferryi_header *h = &s->view.header;

	return (uint64_t)(h->classes[0].count -
			  ferryi_queue_reserved(&s->view.queue, 0)) *
	       sizeof(struct ferryi_record);
}

static bool is_in_ring(const struct ferryi_segment *s, uint64_t at)
{
	return at < ferryi_layout_ring_bytes(&s->view.header);
}

static int reserve(struct ferryi_segment *s, uint64_t at, uint64_t len)
{
	uint64_t limit = s->view.header.choice.bytes_max, used;
	int fd = own_fd(s), e;

	if (fd < 0)
		return ferryi_fail(fd, "%s %s: its file was closed and is gone",
				   ferryi_file_noun(s->name),
				   ferryi_file_name(s->name));
	used = limit ? ferryi_segment_bytes(s) + ring_to_come(s) : 0;
	if (limit && !is_in_ring(s, at) && used + len > limit)
		return ferryi_fail(-ENOSPC,
				   "mailbox %s uses, or keeps for its queue, "
				   "%llu of at most %llu KiB (receive some, or "
				   "create it with a larger byte limit)",
				   s->name, (unsigned long long)used / 1024,
				   (unsigned long long)limit / 1024);
	e = ferryi_reserve(fd, at, len);
	return e < 0 ? ferryi_fail_room(s->realm, s->name, e, len) : 0;
}

int ferryi_segment_grow(struct ferryi_segment *s,
			const struct ferryi_growth *grow)
{
	for (unsigned i = 0; i < 2; i++) {
		int e = grow->bytes[i] ?
				reserve(s, grow->at[i], grow->bytes[i]) :
				0;

		if (e < 0)
			return e;
	}
	ferryi_queue_grown(&s->view.queue, grow);
	return 0;
}

/* Topics have no byte limit: their chunks are as many as they were made with. */
int ferryi_segment_back_topic(struct ferryi_segment *s, uint32_t index,
			      uint64_t len)
{
	struct ferryi_broadcast *b = &s->view.topic;
	uint64_t *backed = &b->records[index].backed;
	uint64_t had = ferryi_min(ferryi_fetch(backed), b->place_bytes);
	int fd, e;

	if (had >= len)
		return 0;
	len = ferryi_min(ferryi_round_up(len, FERRYI_PAGE), b->place_bytes);
	fd = own_fd(s);
	if (fd < 0)
		return ferryi_fail(fd,
				   "topic %s: its file was closed and is gone",
				   ferryi_file_name(s->name));
	e = ferryi_reserve(fd, ferryi_broadcast_place_at(b, index) + had,
			   len - had);
	if (e < 0)
		return ferryi_fail_room(s->realm, s->name, e, len - had);
	/* G4: reserved, not yet noted; the next owner reserves it again */
	ferryi_put(backed, len);
	return 0;
}

int ferryi_segment_back(struct ferryi_segment *s, uint32_t index, uint64_t len)
{
	struct ferryi_queue *q = &s->view.queue;
	struct ferryi_record *rec = ferryi_queue_record(q, index);
	const struct ferryi_class *k =
		&q->classes[ferryi_queue_class(q, index)];
	uint64_t had;
	int e;

	if (k->size <= FERRYI_EAGER || ferryi_fetch(&rec->taker.backed) >= len)
		return 0;
	had = ferryi_min(ferryi_fetch(&rec->taker.backed), k->size) /
	      FERRYI_PAGE * FERRYI_PAGE;
	len = ferryi_min(ferryi_round_up(len, FERRYI_PAGE), k->size);
	e = reserve(s, ferryi_queue_place_at(q, index) + had, len - had);
	if (e < 0)
		return e;
	/* G3: reserved, not yet noted; the next owner reserves it again */
	ferryi_put(&rec->taker.backed, len);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Bytes with faults.  A verdict is that of one write, or of what one read found: it
 * waits, and one bit of it is flipped.  A write that the inner link takes in parts keeps
 * the verdict until the damage is done.
 *
 * Who receives reads first: the verdict is drawn, and its time begins, when there are
 * bytes.  What has to wait is kept here, `ready`, and nothing else is read before the
 * last of it is handed out.
 */
#include <errno.h>
#include <string.h>

#include "link/fault.h"
#include "sys/clock.h"
#include "sys/process.h"

/* How many bytes may move before the cut. */
static size_t until_cut(const struct ferryi_fault *f, size_t len)
{
	uint64_t left = f->set.cut - f->moved;

	return f->set.cut && left < len ? (size_t)left : len;
}

static bool is_last(const struct ferryi_fault *f)
{
	return f->set.cut && f->moved >= f->set.cut;
}

static void moved(struct ferryi_fault *f, size_t n)
{
	ferryi_fault_count(&f->stat.passed, n);
	ferryi_fault_used(f, n);
	if (is_last(f))
		ferryi_fault_cut(f);
}

/* --- sending ------------------------------------------------------------------- */

/* What the bit is of is written alone: what goes before it may not all go. */
static ssize_t write_damaged(struct ferryi_fault *f, const unsigned char *data,
			     size_t len)
{
	struct ferryi_verdict *v = &f->verdict;
	unsigned char byte = (unsigned char)(*data ^ 1u << v->where % 8);
	ssize_t n;

	if (v->where >= 8) {
		size_t before = (size_t)(v->where / 8);

		n = f->inner->stream->write(f->inner, data,
					    before < len ? before : len);
		v->where -= n > 0 ? 8 * (uint64_t)n : 0;
		return n;
	}
	n = f->inner->stream->write(f->inner, &byte, 1);
	if (n == 1) {
		v->damage = false;
		ferryi_fault_count(&f->stat.damaged, 1);
	}
	return n;
}

static ssize_t write_some(struct ferryi_fault *f, const void *data, size_t len)
{
	bool fresh = !f->judged;
	const struct ferryi_verdict *v = ferryi_fault_judge(f);
	bool damages;
	ssize_t n;

	if (fresh)
		f->verdict.where %= len * 8;
	if (f->due > ferryi_now())
		return ferryi_fault_rest(f, 0, f->due);
	damages = v->damage;
	len = until_cut(f, len);
	n = damages ? write_damaged(f, data, len) :
		      f->inner->stream->write(f->inner, data, len);
	if (n <= 0)
		return n;
	moved(f, (size_t)n);
	f->judged = damages && v->damage; /* still to be done */
	return n;
}

static ssize_t fault_write(struct ferry_link *l, const void *data, size_t len)
{
	struct ferryi_fault *f = ferryi_fault_of(l);
	ssize_t n = ferryi_fault_begin(f, 0);

	if (n < 0)
		return n;
	n = f->at_recv ? f->inner->stream->write(f->inner, data, len) :
			 write_some(f, data, len);
	ferryi_fault_leave(f);
	return n;
}

/* --- receiving ------------------------------------------------------------------ */

/* What was read, to wait for its time.  Without memory for that it is not delayed, and
 * not lost. */
static bool keep(struct ferryi_fault *f, const void *data, size_t n)
{
	struct ferryi_kept *k = ferryi_kept_new(data, n, NULL);

	if (!k) {
		f->verdict.delay_ns = 0;
		return false;
	}
	k->due = f->due;
	k->damaged = ferryi_fault_damage(f, k->data, n);
	k->flipped = k->damaged ? (size_t)(f->flipped - k->data) : 0;
	f->flipped = NULL;
	f->ready = k;
	ferryi_fault_used(f, n);
	return true;
}

/* Of what is kept. */
static ssize_t hand_out(struct ferryi_fault *f, void *buf, size_t size)
{
	struct ferryi_kept *k = f->ready;
	size_t left = k->m.len - k->gone, n = left < size ? left : size;

	if (k->due > ferryi_now())
		return ferryi_fault_rest(f, 1, k->due);
	memcpy(buf, k->data + k->gone, n);
	ferryi_fault_count(&f->stat.passed, n);
	ferryi_fault_count(&f->stat.damaged, k->damaged &&
						     k->flipped >= k->gone &&
						     k->flipped < k->gone + n);
	k->gone += n;
	if (k->gone < k->m.len)
		return (ssize_t)n;
	f->ready = NULL;
	ferryi_kept_free(k);
	if (is_last(f))
		ferryi_fault_cut(f);
	return (ssize_t)n;
}

static ssize_t read_some(struct ferryi_fault *f, void *buf, size_t size)
{
	ssize_t n;

	if (f->ready)
		return hand_out(f, buf, size);
	if (is_last(f)) { /* the rest is the parent's */
		ferryi_fault_cut(f);
		return -ECONNRESET;
	}
	n = f->inner->stream->read(f->inner, buf, until_cut(f, size));
	if (n <= 0)
		return n;
	ferryi_fault_judge(f);
	if (f->due > ferryi_now() && keep(f, buf, (size_t)n))
		return hand_out(f, buf, size);
	ferryi_fault_count(&f->stat.damaged,
			   ferryi_fault_damage(f, buf, (size_t)n));
	f->flipped = NULL;
	moved(f, (size_t)n);
	return n;
}

static ssize_t fault_read(struct ferry_link *l, void *buf, size_t size)
{
	struct ferryi_fault *f = ferryi_fault_of(l);
	ssize_t n = ferryi_fault_begin(f, 1);

	if (n < 0)
		return n;
	if (f->at_recv && f->generation != ferryi_generation())
		ferryi_fault_forget(f);
	n = f->at_recv ? read_some(f, buf, size) :
			 f->inner->stream->read(f->inner, buf, size);
	ferryi_fault_leave(f);
	return n;
}

const struct ferryi_stream ferryi_stream_of_faults = {
	.write = fault_write,
	.read = fault_read,
};

/* SPDX-License-Identifier: MIT */
/* See ring.h. */
#include "shm/ring.h"

#include <errno.h>

#include "base/bytes.h"
#include "shm/atomic.h"

#define PRESENT	 ((uint64_t)1 << 63)
#define PAD	 ((uint64_t)1 << 34)
#define TAKEN	 ((uint64_t)1 << 33)
#define BESIDE	 ((uint64_t)1 << 32)
#define TAG_AT	 35
#define TAG_BITS 28
#define TOLD	 8 /* one in so many messages is counted for others */

void ferryi_ring_attach(struct ferryi_ring *r,
			struct ferryi_ring_shared *shared, void *slots,
			uint64_t n, uint64_t *bits)
{
	*r = (struct ferryi_ring){
		.shared = shared, .slots = slots, .n = n, .bits = bits
	};
}

static uint8_t *slot(const struct ferryi_ring *r, uint64_t position)
{
	return r->slots + (position & (r->n - 1)) * FERRYI_SLOT;
}

static uint64_t *word_at(const struct ferryi_ring *r, uint64_t position)
{
	return (uint64_t *)slot(r, position);
}

static uint64_t word(uint64_t position, uint64_t rest)
{
	return PRESENT |
	       (position & (((uint64_t)1 << TAG_BITS) - 1)) << TAG_AT | rest;
}

/* Without what a message's own sender chooses. */
static bool is_of(uint64_t seen, uint64_t position)
{
	return seen >> TAG_AT == word(position, 0) >> TAG_AT;
}

static uint64_t slots_for(uint64_t len)
{
	return (len + sizeof(uint64_t) + FERRYI_SLOT - 1) / FERRYI_SLOT;
}

/* Slots from `position` to the end of the ring. */
static uint64_t to_end(const struct ferryi_ring *r, uint64_t position)
{
	return r->n - (position & (r->n - 1));
}

/* --- bits, one a slot -------------------------------------------------------- */

static uint64_t *bits_of(const struct ferryi_ring *r, uint64_t position)
{
	return &r->bits[(position & (r->n - 1)) / 64];
}

static uint64_t bit_of(const struct ferryi_ring *r, uint64_t position)
{
	return (uint64_t)1 << ((position & (r->n - 1)) % 64);
}

static bool has_bit(const struct ferryi_ring *r, uint64_t position)
{
	return __atomic_load_n(bits_of(r, position), __ATOMIC_SEQ_CST) &
	       bit_of(r, position);
}

/* --- the sender ------------------------------------------------------------ */

static int see_head(struct ferryi_ring *r)
{
	uint64_t head = ferryi_load(&r->shared->head);

	if (head < r->head || head > r->at)
		return -EBADMSG;
	r->head = head;
	return 0;
}

/* Whether there is room for `need` slots and the one of R3. */
static int make_room(struct ferryi_ring *r, uint64_t need)
{
	if (r->at + need + 1 - r->head <= r->n)
		return 0;
	if (see_head(r) < 0)
		return -EBADMSG;
	return r->at + need + 1 - r->head <= r->n ? 0 : -EAGAIN;
}

static uint64_t pad_before(const struct ferryi_ring *r, uint64_t slots)
{
	return slots > to_end(r, r->at) ? to_end(r, r->at) : 0;
}

int ferryi_ring_loan(struct ferryi_ring *r, uint64_t len, void **out)
{
	uint64_t slots = slots_for(len), pad;
	int err;

	if (len > ferryi_ring_largest(r->n))
		return -EMSGSIZE;
	if (ferryi_fetch(&r->lent))
		return -EBUSY;
	pad = pad_before(r, slots);
	err = make_room(r, pad + slots);
	if (err)
		return err;
	r->pad = (uint32_t)pad;
	ferryi_put(&r->lent, (uint32_t)slots);
	*out = slot(r, r->at + pad) + sizeof(uint64_t);
	return 0;
}

void ferryi_ring_abandon(struct ferryi_ring *r)
{
	ferryi_put(&r->lent, 0);
}

/* These slots hold no words any more. */
static void mark(struct ferryi_ring *r, uint64_t from, uint64_t to)
{
	uint64_t in_word, all;

	for (; from < to; from += in_word) {
		in_word = ferryi_min(64 - (from & (r->n - 1)) % 64, to - from);
		all = in_word == 64 ? ~(uint64_t)0 :
				      ((uint64_t)1 << in_word) - 1;
		*bits_of(r, from) |= all << ((from & (r->n - 1)) % 64);
	}
}

/* This slot is about to hold one. */
static void unmark(struct ferryi_ring *r, uint64_t position)
{
	*bits_of(r, position) &= ~bit_of(r, position);
}

/* Keep R2 for what comes behind the message at `begin`. */
static void clear_behind(struct ferryi_ring *r, uint64_t begin, uint64_t slots)
{
	unmark(r, r->at);
	unmark(r, begin);
	if (begin > r->at)
		mark(r, r->at + 1, begin);
	mark(r, begin + 1, begin + slots);
	if (has_bit(r, begin + slots)) {
		ferryi_put(word_at(r, begin + slots), 0);
		unmark(r, begin + slots);
	}
}

/* Whether a store of this process could come too late for the last look of one who
 * goes to sleep, and has said in `barrier` whether it makes one before that look. */
static bool needs_fence(const struct ferryi_ring *r, const uint32_t *barrier)
{
	return !r->reached || !ferryi_fetch(barrier);
}

/* The word, and the one of the PAD before it; it counts from the last store on. */
static void put_word(struct ferryi_ring *r, uint64_t len, uint64_t flags)
{
	uint64_t begin = r->at + r->pad;
	bool fence = needs_fence(r, &r->shared->more_barrier);

	clear_behind(r, begin, slots_for(len));
	/* N1: written, not yet accepted; if we die here it never was */
	if (r->pad) {
		ferryi_put(word_at(r, begin), word(begin, len | flags));
		ferryi_publish(word_at(r, r->at), word(r->at, PAD), fence);
	} else {
		ferryi_publish(word_at(r, begin), word(begin, len | flags),
			       fence);
	}
	/* N2: accepted; if we die here our socket wakes the receiver */
}

/* The loan is the receiver's now. */
static void pass_on(struct ferryi_ring *r, uint64_t slots)
{
	r->at += r->pad + slots;
	if (++r->count % TOLD == 0)
		ferryi_put(&r->shared->sent, r->count);
	ferryi_put(&r->lent, 0);
}

int ferryi_ring_commit(struct ferryi_ring *r, uint64_t len, bool beside)
{
	if (!ferryi_fetch(&r->lent))
		return -ESTALE;
	put_word(r, len, beside ? BESIDE : 0);
	pass_on(r, slots_for(len));
	return 0;
}

/* What is on offer. */
static uint64_t *offer_at(const struct ferryi_ring *r)
{
	return word_at(r, r->at + r->pad);
}

static bool is_taken(const struct ferryi_ring *r)
{
	return ferryi_load(offer_at(r)) & TAKEN;
}

int ferryi_ring_offer(struct ferryi_ring *r, uint64_t len)
{
	if (!ferryi_fetch(&r->lent))
		return -ESTALE;
	if (!r->offered) {
		put_word(r, len, 0);
		r->offered = (uint32_t)slots_for(len);
	}
	if (!is_taken(r))
		return -EAGAIN;
	pass_on(r, r->offered);
	r->offered = 0;
	return 0;
}

bool ferryi_ring_withdraw(struct ferryi_ring *r)
{
	uint64_t seen = ferryi_load(offer_at(r));
	bool back = !(seen & TAKEN) && ferryi_cas(offer_at(r), seen, 0);

	/* N5: taken or withdrawn; if we die here the word has told which */
	if (back) {
		r->at += r->pad; /* the receiver may be past the PAD */
		r->pad = 0;
	} else {
		pass_on(r, r->offered);
	}
	r->offered = 0;
	return back;
}

bool ferryi_ring_lower_more(struct ferryi_ring *r)
{
	return ferryi_load(&r->shared->wants_more) == 1 &&
	       ferryi_cas32(&r->shared->wants_more, 1, 0);
}

bool ferryi_ring_has_passed(struct ferryi_ring *r, uint64_t position)
{
	return r->head >= position || (see_head(r) == 0 && r->head >= position);
}

void ferryi_ring_ask_room(struct ferryi_ring *r)
{
	ferryi_store(&r->shared->wants_room, 1);
}

bool ferryi_ring_has_room(struct ferryi_ring *r, uint64_t len)
{
	uint64_t slots = slots_for(len);

	if (r->offered)
		return is_taken(r) || ferryi_load(&r->shared->deaf);
	return make_room(r, pad_before(r, slots) + slots) != -EAGAIN ||
	       ferryi_load(&r->shared->deaf);
}

/* --- the receiver ---------------------------------------------------------- */

/* The word of the next message, past a PAD, behind which there is one unless it
 * was withdrawn.  -EAGAIN, -EBADMSG. */
static int find_next(struct ferryi_ring *r, uint64_t *out)
{
	uint64_t seen = ferryi_load(word_at(r, r->at));

	if (is_of(seen, r->at) && seen & PAD) {
		__atomic_store_n(&r->at, r->at + to_end(r, r->at),
				 __ATOMIC_RELEASE);
		seen = ferryi_load(word_at(r, r->at));
		if (is_of(seen, r->at) ? seen & PAD : !r->hand_to_hand)
			return -EBADMSG;
	}
	*out = seen;
	return is_of(seen, r->at) ? 0 : -EAGAIN;
}

int ferryi_ring_next(struct ferryi_ring *r, struct ferryi_ring_message *out)
{
	uint64_t seen;
	int err = find_next(r, &seen);

	if (err)
		return err;
	out->at = r->at;
	out->word = seen;
	out->len = (uint32_t)seen;
	out->beside = seen & BESIDE;
	out->data = slot(r, r->at) + sizeof(uint64_t);
	return out->len > ferryi_ring_largest(r->n) ||
			       slots_for(out->len) > to_end(r, r->at) ?
		       -EBADMSG :
		       0;
}

int ferryi_ring_take(struct ferryi_ring *r, uint64_t max,
		     struct ferryi_ring_message *out)
{
	int err = ferryi_ring_next(r, out);

	if (err)
		return err;
	return out->len > max ? -EMSGSIZE : ferryi_ring_take_this(r, out);
}

int ferryi_ring_take_this(struct ferryi_ring *r,
			  const struct ferryi_ring_message *m)
{
	if (r->hand_to_hand &&
	    !ferryi_cas(word_at(r, m->at), m->word, m->word | TAKEN))
		return -EAGAIN;
	/* N3: taken; if we die here it has gone with us */
	__atomic_store_n(&r->at, m->at + slots_for(m->len), __ATOMIC_RELEASE);
	r->count++;
	return 0;
}

static void set_head(struct ferryi_ring *r, uint64_t head)
{
	__atomic_store_n(&r->head, head, __ATOMIC_RELEASE);
	/* N4: ended; if we die here the sender hears of that */
	ferryi_publish(&r->shared->head, head,
		       needs_fence(r, &r->shared->room_barrier));
}

/* Past the messages that are ended, as far as they go without a gap. */
static void move_head(struct ferryi_ring *r)
{
	uint64_t at = __atomic_load_n(&r->at, __ATOMIC_ACQUIRE), head = r->head;
	uint64_t seen;

	while (head < at) {
		seen = ferryi_load(word_at(r, head));
		if (seen & PAD) {
			head += to_end(r, head);
			continue;
		}
		if (!has_bit(r, head))
			break;
		__atomic_fetch_and(bits_of(r, head), ~bit_of(r, head),
				   __ATOMIC_SEQ_CST);
		head += slots_for((uint32_t)seen);
	}
	set_head(r, head < at ? head : at); /* whatever the words say by now */
}

static bool can_move(struct ferryi_ring *r)
{
	uint64_t head = __atomic_load_n(&r->head, __ATOMIC_SEQ_CST);

	return head < __atomic_load_n(&r->at, __ATOMIC_SEQ_CST) &&
	       (ferryi_load(word_at(r, head)) & PAD || has_bit(r, head));
}

/*
 * One thread at a time moves the head.  Another one has set its bit before it
 * finds that somebody is at it; that one looks again after it has let go.
 */
void ferryi_ring_end(struct ferryi_ring *r, uint64_t at)
{
	__atomic_fetch_or(bits_of(r, at), bit_of(r, at), __ATOMIC_SEQ_CST);
	do {
		if (__atomic_exchange_n(&r->busy, 1, __ATOMIC_SEQ_CST))
			return;
		move_head(r);
		__atomic_store_n(&r->busy, 0, __ATOMIC_SEQ_CST);
	} while (can_move(r));
}

void ferryi_ring_end_all(struct ferryi_ring *r)
{
	set_head(r, r->at);
}

bool ferryi_ring_lower_room(struct ferryi_ring *r)
{
	return ferryi_load(&r->shared->wants_room) == 1 &&
	       ferryi_cas32(&r->shared->wants_room, 1, 0);
}

uint64_t ferryi_ring_waiting(const struct ferryi_ring *r)
{
	uint64_t sent = ferryi_fetch(&r->shared->sent);

	return sent > r->count ? sent - r->count : 0;
}

bool ferryi_ring_glance(const struct ferryi_ring *r)
{
	return is_of(ferryi_fetch(word_at(r, r->at)), r->at);
}

void ferryi_ring_ask_more(struct ferryi_ring *r)
{
	ferryi_store(&r->shared->wants_more, 1);
}

bool ferryi_ring_has_more(struct ferryi_ring *r)
{
	uint64_t seen;

	return find_next(r, &seen) != -EAGAIN || ferryi_load(&r->shared->ended);
}

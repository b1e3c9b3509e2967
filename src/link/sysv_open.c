/* SPDX-License-Identifier: MIT */
/* Queues of System V: what an address says, opening, removing. */
#include "link/sysv.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "link/queues.h"
#include "sys/machine.h"

/* --- what an address says --------------------------------------------------- */

/* All of `text` as a number of `base`, or -EINVAL. */
static int parse_number(const char *text, int base, uint64_t most,
			uint64_t *out)
{
	unsigned long long n;
	char *end;

	if (!strchr("0123456789abcdefABCDEF", *text) || !*text)
		return -EINVAL;
	n = strtoull(text, &end, base);
	if (*end || n > most)
		return -EINVAL;
	*out = n;
	return 0;
}

int ferryi_sysv_parse_key(const char *text, uint32_t *out_key)
{
	bool hex = strncmp(text, "0x", 2) == 0;
	uint64_t n = 0;

	if (parse_number(hex ? text + 2 : text, hex ? 16 : 10, UINT32_MAX,
			 &n) != 0 ||
	    n == 0)
		return ferryi_fail(-EINVAL,
				   "sysv:%.100s is no key (write sysv:1234, "
				   "sysv:0x1234, or a path with a slash)",
				   text);
	*out_key = (uint32_t)n;
	return 0;
}

long ferryi_sysv_longest_type(void)
{
	return (uint64_t)LONG_MAX < UINT32_MAX ? LONG_MAX : (long)UINT32_MAX;
}

/* type=N, and where only receiving is meant -N and !N. */
static int read_type(struct ferry_link *l, const struct ferryi_address *a)
{
	const char *text = ferryi_address_get(a, "type");
	struct ferryi_sysv_link *q = ferryi_sysv_of(l);
	bool sends = l->flags & FERRY_SEND;
	uint64_t n = 0;
	char sign;

	q->type = 1;
	if (!text)
		return 0;
	sign = *text == '-' || *text == '!' ? *text++ : 0;
	if (parse_number(text, 10, (uint64_t)ferryi_sysv_longest_type(), &n) !=
		    0 ||
	    ((sends || sign) && n == 0))
		return ferryi_fail(-EINVAL,
				   "%s: a type is a number from 1 to %ld",
				   l->address, ferryi_sysv_longest_type());
	if (sends && sign)
		return ferryi_fail(-EINVAL,
				   "%s: type=%c%s chooses what to receive, and "
				   "the link sends as well (open two)",
				   l->address, sign, text);
	q->type = (long)n;
	q->choice.type = sign == '-' ? -(long)n : (long)n;
	q->choice.except = sign == '!';
	return 0;
}

static int read_ftok(const struct ferryi_address *a, uint32_t *out_key)
{
	const char *text = ferryi_address_get(a, "ftok");
	uint64_t id = 0;
	int err;

	if (parse_number(text, 10, 255, &id) != 0 || id == 0)
		return ferryi_fail(-EINVAL,
				   "sysv: ftok=%.20s is no number from 1 to "
				   "255 (a letter is its number: 'A' is 65)",
				   text);
	err = ferryi_sysv_ftok(a->rest, (int)id, out_key);
	if (err)
		return ferryi_fail_sys(-err,
				       "sysv:%.200s: ftok needs a file that is "
				       "there: %s",
				       a->rest, strerror(-err));
	if (*out_key == 0)
		return ferryi_fail(-EINVAL,
				   "sysv:%.200s: ftok gives the key 0, which "
				   "is nobody's (use another file)",
				   a->rest);
	return 0;
}

static bool is_path(const struct ferryi_address *a)
{
	return strchr(a->rest, '/') != NULL;
}

/* The key, when the address alone says it; 0: the file at the path does. */
static int read_key(const struct ferryi_address *a, uint32_t *out_key)
{
	bool ftok = ferryi_address_get(a, "ftok") != NULL;

	*out_key = 0;
	if (!is_path(a) && ftok)
		return ferryi_fail(-EINVAL,
				   "sysv: ftok= goes with a path (write "
				   "sysv:/path/to/file?ftok=1)");
	if (!is_path(a))
		return ferryi_sysv_parse_key(a->rest, out_key);
	return ftok ? read_ftok(a, out_key) : 0;
}

/* --- opening ---------------------------------------------------------------- */

int ferryi_sysv_cannot_open(const char *address, unsigned flags, int err)
{
	if (err != -ENOSPC)
		return ferryi_queue_not_opened(address, flags, err);
	return ferryi_fail(-ENOSPC,
			   "%s: there are %" PRIu64 " message queues already "
			   "(remove some, or raise kernel.msgmni)",
			   address, ferryi_machine_setting("kernel/msgmni", 0));
}

static int too_much(const char *address, uint64_t bytes)
{
	return ferryi_fail(-EACCES,
			   "%s: a queue of %" PRIu64 " bytes is more than the "
			   "%" PRIu64 " that the kernel allows (raise "
			   "kernel.msgmnb)",
			   address, bytes,
			   ferryi_machine_setting("kernel/msgmnb", 0));
}

static bool nobody_used(const struct ferryi_sysv *q)
{
	return !q->sent_by && !q->received_by && !q->queued;
}

/*
 * Two may ask for different sizes at once, and setting one is not a step with the look
 * before it.  The rule: nobody sets a size that is not the system's, and who has set one
 * looks again; who sees another size then answers -EEXIST.  So the last who sets decides,
 * and who is told 0 has seen its own size behind its own setting.
 *
 * What is left: somebody looked before that, and sets after it.  Both have to do so within
 * the three calls of who makes a queue: once one size is seen, nobody sets another.
 */
static int settle(const char *address, int id, uint64_t wanted, bool made)
{
	struct ferryi_sysv is;
	uint64_t usual;
	int err = ferryi_sysv_look(id, &is);

	if (err || is.bytes_max == wanted)
		return err;
	usual = ferryi_machine_setting("kernel/msgmnb",
				       made ? is.bytes_max : 0);
	if (is.bytes_max != usual || !(made || nobody_used(&is)))
		return -EEXIST;
	err = ferryi_sysv_set_bytes(id, wanted);
	if (err)
		return err == -EPERM ? too_much(address, wanted) : err;
	err = ferryi_sysv_look(id, &is);
	return err ? err : is.bytes_max == wanted ? 0 : -EEXIST;
}

/*
 * Is it gone?  What others have used stays theirs.  Between this look and the removal
 * somebody may still send: but the size is refused to who makes a queue only when the
 * kernel takes back what its setting and our capabilities have just said, and who sent
 * then learns it as from every removal: -ESTALE, at its next call.
 */
static bool removed_unused(int id)
{
	struct ferryi_sysv is;

	return ferryi_sysv_look(id, &is) == 0 && nobody_used(&is) &&
	       ferryi_sysv_remove(id) == 0;
}

int ferryi_sysv_make(const char *address, const struct ferryi_address *a,
		     uint32_t key)
{
	uint64_t capacity = 0;
	unsigned mode;
	int err = ferryi_queue_mode(a, &mode), id;

	if (!err)
		err = ferryi_queue_size(a, "capacity", &capacity);
	if (err)
		return err;
	if (capacity > ferryi_machine_setting("kernel/msgmnb", UINT64_MAX) &&
	    !ferryi_machine_may_exceed())
		return too_much(address, capacity); /* before others find it */
	id = ferryi_sysv_create(key, mode);
	if (id == -EEXIST)
		return id;
	if (id < 0)
		return ferryi_sysv_cannot_open(address, 0, id);
	/* X5: the queue is there, of the system's size */
	err = capacity ? settle(address, id, capacity, true) : 0;
	if (err == -EACCES && removed_unused(id))
		return err;
	return id; /* check_capacity() says what it is like */
}

static int open_key(struct ferry_link *l, const struct ferryi_address *a,
		    uint32_t key)
{
	bool sends = l->flags & FERRY_SEND, receives = l->flags & FERRY_RECV;
	int id = -ENOENT;

	for (int i = 0; i < FERRYI_QUEUE_ATTEMPTS; i++) {
		id = ferryi_sysv_open(key, receives, sends);
		if (id >= 0)
			return id;
		if (id != -ENOENT || !receives)
			return ferryi_sysv_cannot_open(l->address, l->flags,
						       id);
		id = ferryi_sysv_make(l->address, a, key);
		if (id != -EEXIST)
			return id;
	}
	return ferryi_queue_restless(l->address);
}

/* Of a queue that is there.  One of the system's size that nobody has used gets ours:
 * nobody has asked for another one, or who did was killed before it could set it. */
static int check_capacity(struct ferry_link *l, const struct ferryi_address *a)
{
	struct ferryi_sysv is;
	uint64_t wanted = 0;
	int id = ferryi_sysv_of(l)->id;
	int err = ferryi_queue_size(a, "capacity", &wanted);

	if (err || !wanted || settle(l->address, id, wanted, false) == 0)
		return err;
	err = ferryi_sysv_look(id, &is);
	if (err == -EACCES)
		return ferryi_fail(err,
				   "%s: who may not receive may not look "
				   "whether the queue holds %" PRIu64
				   " bytes (leave capacity= out)",
				   l->address, wanted);
	if (err || is.bytes_max == wanted)
		return 0; /* removed just now: the next call says so */
	return ferryi_fail(-EEXIST,
			   "%s: the queue is there and holds %" PRIu64
			   " bytes, not %" PRIu64 " (leave capacity= out, or "
			   "remove it first)",
			   l->address, is.bytes_max, wanted);
}

int ferryi_sysv_open_link(struct ferry_link *l, const struct ferryi_address *a)
{
	struct ferryi_sysv_link *q = ferryi_sysv_of(l);
	unsigned mode;
	uint32_t key;
	int err = read_type(l, a);

	if (!err)
		err = read_key(a, &key);
	if (!err)
		err = ferryi_queue_mode(a, &mode);
	if (err)
		return err;
	q->id = key ? open_key(l, a, key) : ferryi_sysv_open_path(l, a);
	return q->id < 0 ? q->id : check_capacity(l, a);
}

static int parse(struct ferryi_address *a, const char *rest, uint32_t *out_key)
{
	int err = ferryi_queue_parse(a, "sysv", rest);

	return err ? err : read_key(a, out_key);
}

int ferryi_sysv_find(const char *rest)
{
	struct ferryi_address a;
	uint32_t key;
	int err = parse(&a, rest, &key), id;

	if (err)
		return err;
	id = key ? ferryi_sysv_open(key, false, false) :
		   ferryi_sysv_find_path(&a);
	if (id == -ENOENT)
		return ferryi_fail(id, "sysv:%s does not exist", a.rest);
	return id >= 0 || !key ? id :
				 ferryi_fail_sys(-id, "sysv:%s: %s", a.rest,
						 strerror(-id));
}

int ferryi_sysv_destroy(const char *rest)
{
	struct ferryi_address a;
	uint32_t key;
	int err = parse(&a, rest, &key), id;

	if (err)
		return err;
	if (!key)
		return ferryi_sysv_destroy_path(&a);
	id = ferryi_sysv_open(key, false, false);
	err = id < 0 ? id : ferryi_sysv_remove(id);
	if (err == -EINVAL || err == -EIDRM) /* by somebody else, just now */
		err = -ENOENT;
	return err ? ferryi_queue_not_removed("sysv", a.rest, err) : 0;
}

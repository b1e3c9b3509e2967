/* SPDX-License-Identifier: MIT */
/* Queues of POSIX: names and attributes, opening, removing. */
#include "link/mq.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "base/error.h"
#include "link/figures.h"
#include "link/queues.h"
#include "link/traces.h"
#include "sys/files.h"
#include "sys/machine.h"
#include "sys/mqueues.h"
#include "sys/stream.h"

/* What the kernel gives a queue of which nothing is asked. */
#define CAPACITY 10u
#define MAX	 8192u

/* --- names and attributes ------------------------------------------------- */

static int check_name(const struct ferryi_address *a)
{
	const char *name = a->rest;

	if (name[0] != '/' || !name[1] || strchr(name + 1, '/') ||
	    strcmp(name, "/.") == 0 || strcmp(name, "/..") == 0)
		return ferryi_fail(
			-EINVAL,
			"mq:%.100s: a queue's name is one slash and "
			"a name without another one (write mq:/NAME)",
			name);
	if (strlen(name + 1) > NAME_MAX)
		return ferryi_fail(-EINVAL,
				   "mq: the name has %zu bytes behind the "
				   "slash, the kernel takes %d",
				   strlen(name + 1), NAME_MAX);
	return 0;
}

/* What the address asks for; 0: nothing. */
static int read_wanted(const struct ferryi_address *a, struct ferryi_mqueue *w)
{
	int err;

	*w = (struct ferryi_mqueue){ 0 };
	err = ferryi_queue_size(a, "capacity", &w->capacity);
	return err ? err : ferryi_queue_size(a, "max", &w->max);
}

static int check_wanted(struct ferry_link *l, const struct ferryi_mqueue *w,
			const struct ferryi_mqueue *is)
{
	if (w->capacity && w->capacity != is->capacity)
		return ferryi_fail(-EEXIST,
				   "%s: the queue is there and holds %" PRIu64
				   " messages, not %" PRIu64 " (leave "
				   "capacity= out, or remove it first)",
				   l->address, is->capacity, w->capacity);
	if (w->max && w->max != is->max)
		return ferryi_fail(-EEXIST,
				   "%s: the queue is there and takes messages "
				   "of %" PRIu64 " bytes, not %" PRIu64
				   " (leave max= out, or remove it first)",
				   l->address, is->max, w->max);
	return 0;
}

/* --- opening -------------------------------------------------------------- */

/* Who receives may want to put something back. */
static enum ferryi_mqueue_use use_of(const struct ferry_link *l)
{
	return l->flags == FERRY_SEND ? FERRYI_MQUEUE_SEND : FERRYI_MQUEUE_BOTH;
}

static int open_there(struct ferry_link *l, const char *name)
{
	int fd = ferryi_mqueue_open(name, use_of(l));

	ferryi_mq_of(l)->gives_back = fd >= 0 || fd == -ENOENT;
	if (fd == -EACCES && l->flags == FERRY_RECV)
		fd = ferryi_mqueue_open(name, FERRYI_MQUEUE_RECV);
	return fd;
}

/* EMFILE is this process's descriptors, or this user's bytes in queues. */
static int out_of_either(struct ferry_link *l, const struct ferryi_mqueue *w)
{
	int fd = ferryi_fd_dup(l->cancel.fd);

	if (fd < 0)
		return ferryi_fail_sys(EMFILE, "%s", l->address);
	ferryi_close(fd);
	return ferryi_fail(-ENOSPC,
			   "%s: %" PRIu64 " messages of %" PRIu64
			   " bytes are more than is left of the %" PRIu64
			   " bytes that all message queues of this user may "
			   "have (remove some, or raise ulimit -q)",
			   l->address, w->capacity, w->max,
			   ferryi_machine_max_queue_bytes());
}

static int cannot_create(struct ferry_link *l, const struct ferryi_mqueue *w,
			 int err)
{
	switch (err) {
	case -EMFILE: return out_of_either(l, w);
	case -EINVAL:
		return ferryi_fail(
			-EINVAL,
			"%s: %" PRIu64 " messages of %" PRIu64 " bytes are "
			"more than the %" PRIu64 " of %" PRIu64 " that the "
			"kernel allows (raise fs.mqueue.msg_max, "
			"fs.mqueue.msgsize_max)",
			l->address, w->capacity, w->max,
			ferryi_machine_setting("fs/mqueue/msg_max", 0),
			ferryi_machine_setting("fs/mqueue/msgsize_max", 0));
	case -ENOSPC:
		return ferryi_fail(
			-ENOSPC,
			"%s: there are %" PRIu64 " message queues already "
			"(remove some, or raise fs.mqueue.queues_max)",
			l->address,
			ferryi_machine_setting("fs/mqueue/queues_max", 0));
	case -ENOMEM:
		return ferryi_fail(-ENOMEM,
				   "%s: the kernel has no memory for %" PRIu64
				   " messages of %" PRIu64 " bytes",
				   l->address, w->capacity, w->max);
	}
	return ferryi_fail_sys(-err, "%s: no queue could be made: %s",
			       l->address, strerror(-err));
}

static int create(struct ferry_link *l, const struct ferryi_address *a,
		  struct ferryi_mqueue w)
{
	unsigned mode;
	int err = ferryi_queue_mode(a, &mode), fd;

	if (err)
		return err;
	if (!w.capacity)
		w.capacity = ferryi_machine_setting("fs/mqueue/msg_default",
						    CAPACITY);
	if (!w.max)
		w.max = ferryi_machine_setting("fs/mqueue/msgsize_default",
					       MAX);
	fd = ferryi_mqueue_create(a->rest, use_of(l), mode, w.capacity, w.max);
	return fd >= 0 || fd == -EEXIST ? fd : cannot_create(l, &w, fd);
}

/* A descriptor of the queue, made when there is none, or an error. */
static int find(struct ferry_link *l, const struct ferryi_address *a,
		const struct ferryi_mqueue *w)
{
	int fd = -ENOENT;

	for (int i = 0; i < FERRYI_QUEUE_ATTEMPTS; i++) {
		fd = open_there(l, a->rest);
		if (fd >= 0)
			return fd;
		if (fd != -ENOENT || !(l->flags & FERRY_RECV))
			return ferryi_queue_not_opened(l->address, l->flags,
						       fd);
		fd = create(l, a, *w);
		if (fd != -EEXIST)
			return fd;
	}
	return ferryi_queue_restless(l->address);
}

int ferryi_mq_open(struct ferry_link *l, const struct ferryi_address *a)
{
	struct ferryi_mqueue wanted, is;
	struct ferryi_mq *q = ferryi_mq_of(l);
	unsigned mode;
	int err = check_name(a);

	if (!err)
		err = read_wanted(a, &wanted);
	if (!err)
		err = ferryi_queue_mode(a, &mode);
	if (err)
		return err;
	q->fd = find(l, a, &wanted);
	if (q->fd < 0)
		return q->fd;
	q->opened = true;
	err = ferryi_mqueue_look(q->fd, &is);
	if (err)
		return ferryi_fail_sys(-err, "%s: what it is like: %s",
				       l->address, strerror(-err));
	q->max = is.max;
	return check_wanted(l, &wanted, &is);
}

int ferryi_mq_destroy(const char *rest)
{
	struct ferryi_address a;
	int err = ferryi_queue_parse(&a, "mq", rest);

	if (!err)
		err = check_name(&a);
	if (err)
		return err;
	err = ferryi_mqueue_unlink(a.rest);
	return err ? ferryi_queue_not_removed("mq", a.rest, err) : 0;
}

/* For a moment it is open here as well.  What it is, and how it stands. */
static int look_at(const char *rest, struct stat *st, struct ferryi_mqueue *is)
{
	struct ferryi_address a;
	int err = ferryi_queue_parse(&a, "mq", rest), fd;

	if (!err)
		err = check_name(&a);
	if (err)
		return err;
	fd = ferryi_mqueue_open(a.rest, FERRYI_MQUEUE_RECV);
	if (fd == -EACCES)
		fd = ferryi_mqueue_open(a.rest, FERRYI_MQUEUE_SEND);
	if (fd == -ENOENT)
		return ferryi_fail(fd, "mq:%s does not exist", a.rest);
	err = fd < 0 ? fd : ferryi_stat(fd, st);
	if (!err)
		err = ferryi_mqueue_look(fd, is);
	if (fd >= 0)
		ferryi_close(fd);
	return err ? ferryi_fail_sys(-err, "mq:%s: %s", a.rest,
				     strerror(-err)) :
		     0;
}

int ferryi_mq_identify(const char *rest, struct ferryi_traces *out)
{
	struct ferryi_mqueue is;
	struct stat st;
	int err = look_at(rest, &st, &is);

	return err ? err : ferryi_traces_of_file(out, &st);
}

int ferryi_mq_figures(const char *rest, struct ferryi_figures *out)
{
	struct ferryi_mqueue is;
	struct stat st;
	int err = look_at(rest, &st, &is);

	if (err)
		return err;
	ferryi_figure(out, "capacity", FERRY_COUNT, (int64_t)is.capacity);
	ferryi_figure(out, "message max", FERRY_BYTES, (int64_t)is.max);
	ferryi_figure(out, "queued", FERRY_COUNT, (int64_t)is.queued);
	return 0;
}

int ferryi_mq_names(int (*each)(const char *rest, void *arg), void *arg)
{
	int r = ferryi_mqueues(each, arg);

	if (r == -ENODEV)
		return ferryi_fail(-EOPNOTSUPP,
				   "mq: the queues cannot be listed (mount -t "
				   "mqueue none /dev/mqueue)");
	return r >= 0 || r == -ENOMEM ?
		       r :
		       ferryi_fail_sys(-r, "mq: the queues cannot be listed");
}

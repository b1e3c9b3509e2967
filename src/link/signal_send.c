/* SPDX-License-Identifier: MIT */
/*
 * Signals to a process or a group.
 *
 * The process is held by a descriptor from the moment that the link is opened: its
 * pid may be used again, the descriptor stays its own.  A group has no descriptor; its
 * number may be used again after its last member has ended.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "link/process.h"
#include "link/queues.h"
#include "link/signal.h"
#include "link/traces.h"
#include "sys/files.h"
#include "sys/process.h"
#include "sys/signals.h"
#include "sys/stream.h"
#include "wire/address.h"

/* --- who ----------------------------------------------------------------------- */

static int gone(struct ferry_link *l)
{
	return ferryi_fail(-ECONNRESET,
			   "%s: the process has ended (a new one of that pid "
			   "would be another; open the link again)",
			   l->address);
}

static int nobody(struct ferry_link *l)
{
	return ferryi_fail(-ENOENT,
			   "%s: there is no such process%s (see ps -e)",
			   l->address,
			   ferryi_signals_of(l)->group ? " group" : "");
}

static int not_allowed(struct ferry_link *l)
{
	return ferryi_fail(-EACCES,
			   "%s: you may not send it signals (it is another "
			   "user's)",
			   l->address);
}

static int cannot(struct ferry_link *l, int err)
{
	return ferryi_fail_sys(-err, "%s: the kernel refuses: %s", l->address,
			       strerror(-err));
}

/* A decimal number, or -1. */
static long number_of(const char *text)
{
	long n = 0;

	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9' || n > INT32_MAX / 10 - 1)
			return -1;
		n = 10 * n + (*p - '0');
	}
	return *text ? n : -1;
}

/* A descriptor of the process `pid`, if it lives. */
static int find_living(struct ferry_link *l, pid_t pid)
{
	int fd = ferryi_pidfd_open(pid);

	/* The number of a thread is -EINVAL, since Linux 6.9 -ENOENT. */
	if (fd == -ESRCH || fd == -EINVAL || fd == -ENOENT)
		return nobody(l);
	if (fd < 0)
		return cannot(l, fd);
	if (!ferryi_fd_ready(fd, POLLIN))
		return fd;
	ferryi_close(fd);
	return nobody(l);
}

/* Hold it, to send it signals. */
static int hold(struct ferry_link *l, pid_t pid)
{
	int fd = find_living(l, pid), err;

	if (fd < 0)
		return fd;
	err = ferryi_pidfd_send(fd, 0);
	if (!err)
		return fd;
	ferryi_close(fd);
	return err == -ESRCH ? nobody(l) :
	       err == -EPERM ? not_allowed(l) :
			       cannot(l, err);
}

static int find_group(struct ferry_link *l, const char *text)
{
	struct ferryi_signals *s = ferryi_signals_of(l);
	long n = number_of(text);
	int err;

	if (n < 2)
		return ferryi_fail(-EINVAL,
				   "signal:-%.40s names no process group "
				   "(write signal:-PGID, greater than 1; every "
				   "process of the machine is no destination)",
				   text);
	s->group = (pid_t)n;
	s->fd = -1;
	err = ferryi_group_send(s->group, 0);
	return err == -ESRCH ? nobody(l) :
	       err == -EPERM ? not_allowed(l) :
	       err	     ? cannot(l, err) :
			       0;
}

/* Who has registered the name now. */
static int holder(struct ferry_link *l, const struct ferryi_address *a,
		  pid_t *out)
{
	struct ferryi_process_place place;
	char path[FERRYI_SOCKET_PATH_MAX + 1];
	struct ferry_process p;
	int err = ferryi_process_place(a, false, &place);

	if (!err)
		err = ferryi_door_path(place.directory, place.name, path);
	if (err)
		return err == -ENOENT ? nobody(l) : err;
	err = ferryi_door_holder(path, &p);
	if (err == -ENOENT)
		return ferryi_fail(err,
				   "%s: no process has this name (process:%s "
				   "opened to receive registers it)",
				   l->address, place.name);
	if (err)
		return err == -EAGAIN ? err : cannot(l, err);
	if (!p.pid)
		return ferryi_fail(-EACCES,
				   "%s: the process has no number here (it is "
				   "of another pid namespace)",
				   l->address);
	*out = p.pid;
	return 0;
}

/* Asked twice, so that the one that is held surely had the name. */
static int find_name(struct ferry_link *l, const struct ferryi_address *a)
{
	pid_t pid, again;
	int err = holder(l, a, &pid), fd;

	if (err)
		return err;
	fd = hold(l, pid);
	if (fd < 0)
		return fd;
	err = holder(l, a, &again);
	if (!err && again != pid)
		err = -EAGAIN;
	if (!err)
		return fd;
	ferryi_close(fd);
	return err;
}

int ferryi_signal_find(struct ferry_link *l, const struct ferryi_address *a)
{
	struct ferryi_signals *s = ferryi_signals_of(l);
	long pid = number_of(a->rest);
	int fd;

	if (a->rest[0] == '-')
		return find_group(l, a->rest + 1);
	if (pid == 0)
		return ferryi_fail(-EINVAL, "signal:0 names nobody (write "
					    "signal:PID, or signal:-PGID)");
	if (strcmp(a->rest, "self") == 0)
		pid = (long)ferryi_identity()->pid;
	fd = pid > 0 ? hold(l, (pid_t)pid) : find_name(l, a);
	if (fd < 0)
		return fd;
	s->fd = fd;
	s->opened = true;
	return 0;
}

/* `l` is for sentences. */
static int find_pid(struct ferry_link *l, const struct ferryi_address *a,
		    pid_t *out)
{
	long pid = number_of(a->rest);
	int err;

	if (a->rest[0] == '-' || strcmp(a->rest, "self") == 0)
		return ferryi_fail(-EOPNOTSUPP,
				   "signal:%.100s: who it is cannot be told "
				   "(name one process: signal:PID, "
				   "signal:NAME)",
				   a->rest);
	if (pid < 0) {
		err = holder(l, a, out);
		return err != -EAGAIN ?
			       err :
			       ferryi_fail(-EBUSY,
					   "%s: too many ask it at once (try "
					   "again)",
					   l->address);
	}
	*out = (pid_t)pid;
	err = find_living(l, *out); /* also of another user */
	if (err < 0)
		return err;
	ferryi_close(err);
	return 0;
}

extern const struct ferryi_transport ferryi_transport_signal;

int ferryi_signal_identify(const char *rest, struct ferryi_traces *out)
{
	char text[FERRYI_ADDRESS_MAX];
	struct ferryi_address a;
	struct ferry_link *l;
	int err = ferryi_queue_parse(&a, "signal", rest);

	snprintf(text, sizeof text, "signal:%s", rest);
	if (!err)
		err = ferryi_link_inner(&l, &ferryi_transport_signal,
					FERRY_SEND, text);
	if (err)
		return err;
	err = find_pid(l, &a, &out->pids[0]);
	out->proof = FERRY_KERNEL;
	ferryi_link_free(l);
	return err;
}

/* --- messages ------------------------------------------------------------------ */

static int check_value(struct ferry_link *l, size_t len)
{
	if (len != 0 && len != sizeof(int32_t) && len != sizeof(uint64_t))
		return ferryi_fail(-EMSGSIZE,
				   "%s: a signal carries nothing, an int (4 "
				   "bytes) or a pointer's worth (8), not %zu "
				   "bytes",
				   l->address, len);
	if (len && ferryi_signals_of(l)->group)
		return ferryi_fail(-EOPNOTSUPP,
				   "%s: a signal to a group carries no value "
				   "(send an empty message)",
				   l->address);
	return 0;
}

static int deliver(struct ferryi_signals *s, int number, const void *data,
		   size_t len)
{
	if (s->group)
		return ferryi_group_send(s->group, number);
	/* One that has ended and was not waited for takes signals, too. */
	if (ferryi_fd_ready(s->fd, POLLIN))
		return -ESRCH;
	return len ? ferryi_pidfd_send_value(s->fd, number, data, len) :
		     ferryi_pidfd_send(s->fd, number);
}

static int send_number(struct ferry_link *l, int number, const void *data,
		       size_t len)
{
	struct ferryi_signals *s = ferryi_signals_of(l);
	char name[FERRY_SIGNAL_NAME_MAX];
	int err = ferry_signal_name(number, name);

	if (err < 0)
		return err;
	err = check_value(l, len);
	if (err)
		return err;
	err = deliver(s, number, data, len);
	s->full = err == -EAGAIN;
	switch (err) {
	case 0:
	case -EAGAIN: return err;
	case -ESRCH: return gone(l);
	case -EPERM: return not_allowed(l);
	}
	return cannot(l, err);
}

int ferryi_signal_send(struct ferry_link *l, const void *data, size_t len)
{
	return send_number(l, ferryi_signals_of(l)->number, data, len);
}

int ferryi_signal_commit(struct ferry_link *l, struct ferry_message *m)
{
	struct ferryi_signals *s = ferryi_signals_of(l);
	int err = ferryi_copies_check(&s->copies, m);

	if (!err)
		err = send_number(l, m->type ? (int)m->type : s->number,
				  m->data, m->len);
	return err ? err : ferryi_copies_drop(&s->copies, m);
}

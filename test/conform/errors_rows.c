/* SPDX-License-Identifier: MIT */
/* What is expected of each scheme when something is wrong: see errors.c. */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "conform.h"
#include "errors.h"

#define NOT_APPLICABLE(reason)                                                 \
	{                                                                      \
		.why_not = reason                                              \
	}
#define NO_FILE NOT_APPLICABLE("it makes no file")

/* --- what only one scheme has --------------------------------------------------- */

static int signal_to_a_killed_one(const struct cell *c, struct ferry_link **l)
{
	char address[40];
	pid_t pid = fork();

	(void)c;
	if (pid == 0)
		for (;;)
			pause();
	snprintf(address, sizeof address, "signal:%d?signal=USR1", pid);
	ok(NULL, ferry_open(l, address, FERRY_SEND));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return ferry_send(*l, NULL, 0, SOON);
}

static int signal_without_room(const struct cell *c, struct ferry_link **l)
{
	struct rlimit none = { 0, 0 };
	struct ferry_link *in;

	ok(NULL, ferry_open(&in, "signal:self?signals=RTMIN", FERRY_RECV));
	ok(NULL, ferry_open(l, c->address, FERRY_SEND));
	ck_assert_int_eq(setrlimit(RLIMIT_SIGPENDING, &none), 0);
	return errors_give(*l);
}

static int signal_to_root(const struct cell *c, struct ferry_link **l)
{
	char address[40];

	(void)c;
	if (geteuid() != 0 || setgid(65534) || setuid(65534))
		return errors_skip("one cannot become another user");
	snprintf(address, sizeof address, "signal:%d", getppid());
	return ferry_open(l, address, FERRY_SEND);
}

static int port_of_root(const struct cell *c, struct ferry_link **l)
{
	FILE *f = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
	int first = 1024;

	if (f && fscanf(f, "%d", &first) != 1)
		first = 1024;
	if (f)
		fclose(f);
	if (first < 2)
		return errors_skip("no port is privileged here");
	return refused_to_others(c, l);
}

/* The two ends of a pipe, or one that nobody reads, as links over descriptors. */
static int fd_of_a_pipe(const struct cell *c, struct ferry_link **l)
{
	char address[40];
	int fds[2], err = 0;

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	snprintf(address, sizeof address, "fd:%d", fds[c->how != FERRY_RECV]);
	if (c->first)
		return ferry_open(l, address, c->first);
	ok(NULL, ferry_open(l, address, FERRY_SEND));
	if (c->how == INHERITED) {
		pid_t pid = fork();

		if (pid == 0)
			for (;;)
				pause();
		close(fds[0]);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	for (int i = 0; i < 10000000 && !err; i++)
		err = errors_give(*l);
	return err;
}

/* --- the rows ----------------------------------------------------------------------- */

#define LIMIT "ulimit -n"

/* The result, a phrase of the sentence, and how it comes about. */
#define TOLD(error, phrase, by, at, used, ...)                                 \
	{                                                                      \
		.err = (error), .says = phrase, .provoke = by, .address = at,  \
		.how = (used), __VA_ARGS__                                     \
	}

const struct row errors_rows[] = {
	{ "mailbox",
	  { [KILLED_PEER] = NOT_APPLICABLE("nobody is a peer: what the dead one "
					   "held is given back"),
	    [FULL] = TOLD(-EAGAIN, "2 of 2", sending_when_full, "full", CREATE),
	    [FULL_DISK] =
		    TOLD(-ENOSPC, "room", refused_on_full_disk, "box", CREATE),
	    [READ_ONLY] = TOLD(-EACCES, "read-only", refused_read_only, "box",
			       CREATE),
	    [NO_PERMISSION] = TOLD(-EACCES, "belongs to", refused_to_others,
				   "box", FERRY_SEND, .first = CREATE),
	    [NAME_IN_USE] = TOLD(-EEXIST, "exists already", refused_twice,
				 "box", CREATE),
	    [NOBODY_THERE] = TOLD(-ENOENT, "no mailbox", refused,
				  "mailbox:none", FERRY_SEND),
	    [MALFORMED] = TOLD(-EINVAL, "with a dot", refused, "mailbox:.a",
			       FERRY_SEND),
	    [NO_DESCRIPTORS] = TOLD(-EMFILE, LIMIT, refused_without_descriptors,
				    "box", CREATE) } },
	{ "topic",
	  { [KILLED_PEER] = NOT_APPLICABLE("nobody is a peer: the subscription "
					   "of the dead one is ended"),
	    [FULL] = TOLD(-EAGAIN, "subscriber", sending_when_full,
			  "topic:full?capacity=2", FERRY_RECV),
	    [FULL_DISK] = TOLD(-ENOSPC, "room", refused_on_full_disk,
			       "topic:news", FERRY_RECV),
	    [READ_ONLY] = TOLD(-EACCES, "read-only", refused_read_only,
			       "topic:news", FERRY_RECV),
	    [NO_PERMISSION] = TOLD(-EACCES, "belongs to", refused_to_others,
				   "topic:news", FERRY_SEND,
				   .first = FERRY_RECV),
	    [NAME_IN_USE] = TOLD(-EEXIST, "is there already", refused_twice,
				 "topic:news?capacity=2", FERRY_RECV,
				 .then = "topic:news?capacity=4"),
	    [NOBODY_THERE] = NOT_APPLICABLE("who opens it makes it"),
	    [MALFORMED] = TOLD(-EINVAL, "with a dot", refused, "topic:.a",
			       FERRY_RECV),
	    [NO_DESCRIPTORS] = TOLD(-EMFILE, LIMIT, refused_without_descriptors,
				    "topic:news", FERRY_RECV) } },
	{ "channel",
	  { [KILLED_PEER] = TOLD(-ECONNRESET, "killed by signal 9",
				 sending_to_a_killed_one, "channel:c", LISTEN),
	    [FULL] = TOLD(-EAGAIN, "nothing can be moved now",
			  sending_when_full, "channel:c", LISTEN),
	    [FULL_DISK] = TOLD(-ENOSPC, "room", refused_on_full_disk,
			       "channel:c", LISTEN),
	    [READ_ONLY] = TOLD(-EACCES, "read-only", refused_read_only,
			       "channel:c", LISTEN),
	    [NO_PERMISSION] = TOLD(-EACCES, "may not", refused_to_others,
				   "channel:c", FERRY_DUPLEX, .first = LISTEN),
	    [NAME_IN_USE] = TOLD(-EBUSY, "listens there already", refused_twice,
				 "channel:c", LISTEN),
	    [NOBODY_THERE] = TOLD(-ENOENT, "does not exist", refused,
				  "channel:none", FERRY_DUPLEX),
	    [MALFORMED] =
		    TOLD(-EINVAL, "with a dot", refused, "channel:.a", LISTEN),
	    [NO_DESCRIPTORS] = TOLD(-EMFILE, LIMIT, refused_without_descriptors,
				    "channel:c", LISTEN) } },
	{ "process",
	  { [KILLED_PEER] = TOLD(-ECONNRESET, "ended", sending_to_a_killed_one,
				 "process:p", FERRY_RECV),
	    [FULL] = TOLD(-EAGAIN, "nothing can be moved now",
			  sending_when_full, "process:p", FERRY_RECV),
	    [FULL_DISK] = TOLD(-ENOSPC, "room", refused_on_full_disk,
			       "process:p", FERRY_RECV),
	    [READ_ONLY] = TOLD(-EACCES, "read-only", refused_read_only,
			       "process:p", FERRY_RECV),
	    [NO_PERMISSION] = TOLD(-EACCES, "may not", refused_to_others,
				   "process:p", FERRY_SEND, .first = FERRY_RECV),
	    [NAME_IN_USE] = TOLD(-EBUSY, "has this name", refused_beside_another,
				 "process:p", FERRY_RECV),
	    [NOBODY_THERE] = TOLD(-ENOENT, "no process has the name", refused,
				  "process:none", FERRY_SEND),
	    [MALFORMED] = TOLD(-EINVAL, "with a dot", refused, "process:.a",
			       FERRY_RECV),
	    [NO_DESCRIPTORS] = TOLD(-EMFILE, LIMIT, refused_without_descriptors,
				    "process:p", FERRY_RECV) } },
	{ "pipe",
	  { [KILLED_PEER] = TOLD(-ECONNRESET, "died", sending_to_a_killed_child,
				 "pipe:", PAIR),
	    [FULL] = TOLD(-EAGAIN, "nothing can be moved now",
			  sending_when_full, "pipe:", PAIR),
	    [FULL_DISK] = NO_FILE,
	    [READ_ONLY] = NO_FILE,
	    [NO_PERMISSION] = NOT_APPLICABLE("it is inherited, not opened"),
	    [NAME_IN_USE] = NOT_APPLICABLE("it has no name"),
	    [NOBODY_THERE] = NOT_APPLICABLE("both ends are made at once"),
	    [MALFORMED] =
		    TOLD(-EINVAL, "has no name", refused, "pipe:name", PAIR),
	    [NO_DESCRIPTORS] = TOLD(-EMFILE, LIMIT, refused_without_descriptors,
				    "pipe:?duplex", PAIR) } },
	{ "fifo",
	  { [KILLED_PEER] = TOLD(-ECONNRESET, "died", sending_to_a_killed_one,
				 "fifo:%/f", FERRY_RECV),
	    [FULL] = TOLD(-EAGAIN, "nothing can be moved now",
			  sending_when_full, "fifo:%/f", FERRY_RECV),
	    [FULL_DISK] = TOLD(-ENOSPC, "room", refused_on_full_disk,
			       "fifo:%/f", FERRY_RECV),
	    [READ_ONLY] = TOLD(-EACCES, "read-only", refused_read_only,
			       "fifo:%/f", FERRY_RECV),
	    [NO_PERMISSION] = TOLD(-EACCES, "you may not open it",
				   refused_to_others, "fifo:%/f", FERRY_SEND,
				   .first = FERRY_RECV),
	    [NAME_IN_USE] = TOLD(-EBUSY, "another process receives",
				 refused_twice, "fifo:%/f", FERRY_RECV),
	    [NOBODY_THERE] = TOLD(-ENOENT, "does not exist", refused,
				  "fifo:%/f?timeout=20ms", FERRY_SEND),
	    [MALFORMED] = TOLD(-EINVAL, "needs the path", refused, "fifo:%/",
			       FERRY_RECV),
	    [NO_DESCRIPTORS] = TOLD(-EMFILE, LIMIT, refused_without_descriptors,
				    "fifo:%/f?keep", FERRY_RECV) } },
	{ "unix",
	  { [KILLED_PEER] = TOLD(-ECONNRESET, "died", sending_to_a_killed_one,
				 "unix:%/s", LISTEN),
	    [FULL] = TOLD(-EAGAIN, "nothing can be moved now",
			  sending_when_full, "unix:%/s", LISTEN),
	    [FULL_DISK] = TOLD(-ENOSPC, "room", refused_on_full_disk,
			       "unix:%/s", LISTEN),
	    [READ_ONLY] = TOLD(-EACCES, "read-only", refused_read_only,
			       "unix:%/s", LISTEN),
	    [NO_PERMISSION] = TOLD(-EACCES, "you may not write to it",
				   refused_to_others, "unix:%/s", FERRY_DUPLEX,
				   .first = LISTEN),
	    [NAME_IN_USE] = TOLD(-EBUSY, "somebody listens there already",
				 refused_twice, "unix:%/s", LISTEN),
	    [NOBODY_THERE] = TOLD(-ENOENT, "does not exist", refused,
				  "unix:%/s", FERRY_DUPLEX),
	    [MALFORMED] =
		    TOLD(-EINVAL, "needs a path", refused, "unix:", LISTEN),
	    [NO_DESCRIPTORS] = TOLD(-EMFILE, LIMIT, refused_without_descriptors,
				    "unix:%/s", LISTEN) } },
	{ "tcp",
	  { [KILLED_PEER] = TOLD(-ECONNRESET, "died", sending_to_a_killed_one,
				 "tcp::0", LISTEN),
	    [FULL] = TOLD(-EAGAIN, "nothing can be moved now",
			  sending_when_full, "tcp::0", LISTEN),
	    [FULL_DISK] = NO_FILE,
	    [READ_ONLY] = NO_FILE,
	    [NO_PERMISSION] = TOLD(-EACCES, "is privileged", port_of_root,
				   "tcp::1", LISTEN),
	    [NAME_IN_USE] = TOLD(-EBUSY, "is in use", refused_twice, "tcp::0",
				 LISTEN, .then = THE_SAME),
	    [NOBODY_THERE] = TOLD(-ECONNREFUSED, "nobody listens there",
				  refused, "tcp::1", FERRY_DUPLEX),
	    [MALFORMED] = TOLD(-EINVAL, "a port is missing", refused,
			       "tcp:localhost", FERRY_DUPLEX),
	    [NO_DESCRIPTORS] = TOLD(-EMFILE, LIMIT, refused_without_descriptors,
				    "tcp::0", LISTEN) } },
	{ "udp",
	  { [KILLED_PEER] = TOLD(-ECONNREFUSED, "nobody receives there",
				 sending_to_a_killed_one, "udp::0", INHERITED),
	    [FULL] = NOT_APPLICABLE("a full receiver loses what comes, untold"),
	    [FULL_DISK] = NO_FILE,
	    [READ_ONLY] = NO_FILE,
	    [NO_PERMISSION] = TOLD(-EACCES, "?broadcast", refused,
				   "udp:255.255.255.255:9", FERRY_SEND),
	    [NAME_IN_USE] = TOLD(-EBUSY, "is in use", refused_twice, "udp::0",
				 FERRY_RECV, .then = THE_SAME),
	    [NOBODY_THERE] = TOLD(-ENOENT, "no address of this machine",
				  refused, "udp:192.0.2.1:7000", FERRY_RECV),
	    [MALFORMED] = TOLD(-EINVAL, "a port is missing", refused,
			       "udp:localhost", FERRY_SEND),
	    [NO_DESCRIPTORS] = TOLD(-EMFILE, LIMIT, refused_without_descriptors,
				    "udp::0", FERRY_RECV) } },
	{ "mq",
	  { [KILLED_PEER] = NOT_APPLICABLE("queues are nobody's"),
	    [FULL] = TOLD(-EAGAIN, "2 of 2 messages", sending_when_full,
			  "mq:/ferry-errors?capacity=2", FERRY_RECV),
	    [FULL_DISK] = NOT_APPLICABLE("it is in memory; for its limits see "
					 "mq.c"),
	    [READ_ONLY] = NO_FILE,
	    [NO_PERMISSION] = TOLD(-EACCES, "you may not send",
				   refused_to_others, "mq:/ferry-errors",
				   FERRY_SEND, .first = FERRY_RECV),
	    [NAME_IN_USE] = TOLD(-EEXIST, "the queue is there", refused_twice,
				 "mq:/ferry-errors?capacity=2", FERRY_RECV,
				 .then = "mq:/ferry-errors?capacity=3"),
	    [NOBODY_THERE] = TOLD(-ENOENT, "does not exist", refused,
				  "mq:/ferry-errors", FERRY_SEND),
	    [MALFORMED] =
		    TOLD(-EINVAL, "one slash", refused, "mq:name", FERRY_RECV),
	    [NO_DESCRIPTORS] = TOLD(-EMFILE, LIMIT, refused_without_descriptors,
				    "mq:/ferry-errors", FERRY_RECV) } },
	{ "sysv",
	  { [KILLED_PEER] = NOT_APPLICABLE("queues are nobody's"),
	    [FULL] = TOLD(-EAGAIN, "of 100 bytes", sending_when_full,
			  "sysv:%/q?capacity=100", FERRY_RECV),
	    [FULL_DISK] = TOLD(-ENOSPC, "room", refused_on_full_disk,
			       "sysv:%/q", FERRY_RECV),
	    [READ_ONLY] = TOLD(-EACCES, "read-only", refused_read_only,
			       "sysv:%/q", FERRY_RECV),
	    [NO_PERMISSION] = TOLD(-EACCES, "you may not send",
				   refused_to_others, "sysv:%/q?mode=0644",
				   FERRY_SEND, .first = FERRY_RECV),
	    [NAME_IN_USE] = TOLD(-EEXIST, "the queue is there", refused_twice,
				 "sysv:%/q?capacity=100", FERRY_RECV,
				 .then = "sysv:%/q?capacity=200"),
	    [NOBODY_THERE] = TOLD(-ENOENT, "does not exist", refused,
				  "sysv:%/q", FERRY_SEND),
	    [MALFORMED] = TOLD(-EINVAL, "is no key", refused, "sysv:name",
			       FERRY_RECV),
	    [NO_DESCRIPTORS] = TOLD(-EMFILE, LIMIT, refused_without_descriptors,
				    "sysv:%/q", FERRY_RECV) } },
	{ "file",
	  { [KILLED_PEER] = NOT_APPLICABLE("logs are nobody's"),
	    [FULL] = NOT_APPLICABLE("only its disk can be"),
	    [FULL_DISK] = TOLD(-ENOSPC, "the disk is full",
			       sending_on_full_disk, "file:%/log", FERRY_SEND),
	    [READ_ONLY] = TOLD(-EACCES, "read-only", refused_read_only,
			       "file:%/log", FERRY_SEND),
	    [NO_PERMISSION] = TOLD(-EACCES, "you may not", refused_to_others,
				   "file:%/log", FERRY_RECV,
				   .first = FERRY_SEND),
	    [NAME_IN_USE] = NOT_APPLICABLE("everybody may read and append"),
	    [NOBODY_THERE] = TOLD(-ENOENT, "who sends makes it", refused,
				  "file:%/log", FERRY_RECV),
	    [MALFORMED] =
		    TOLD(-EINVAL, "needs a path", refused, "file:", FERRY_SEND),
	    [NO_DESCRIPTORS] = TOLD(-EMFILE, LIMIT, refused_without_descriptors,
				    "file:%/log", FERRY_DUPLEX) } },
	{ "signal",
	  { [KILLED_PEER] = { .err = -ECONNRESET,
			      .says = "the process has ended",
			      .provoke = signal_to_a_killed_one },
	    [FULL] = { .err = -EAGAIN,
		       .says = "as many signals waiting",
		       .provoke = signal_without_room,
		       .address = "signal:self?signal=RTMIN" },
	    [FULL_DISK] = NO_FILE,
	    [READ_ONLY] = NO_FILE,
	    [NO_PERMISSION] = { .err = -EACCES,
				.says = "you may not send it signals",
				.provoke = signal_to_root },
	    [NAME_IN_USE] = TOLD(-EBUSY, "another link of this process",
				 refused_twice, "signal:self?signals=USR1",
				 FERRY_RECV),
	    [NOBODY_THERE] = TOLD(-ENOENT, "no such process", refused,
				  "signal:99999999", FERRY_SEND),
	    [MALFORMED] = TOLD(-EINVAL, "names nobody", refused, "signal:0",
			       FERRY_SEND),
	    [NO_DESCRIPTORS] = TOLD(-EMFILE, LIMIT, refused_without_descriptors,
				    "signal:self?signals=USR1", FERRY_RECV) } },
	{ "fd",
	  { [KILLED_PEER] = { .err = -ECONNRESET,
			      .says = "died",
			      .provoke = fd_of_a_pipe,
			      .how = INHERITED },
	    [FULL] = { .err = -EAGAIN,
		       .says = "nothing can be moved now",
		       .provoke = fd_of_a_pipe },
	    [FULL_DISK] = { .err = -ENOSPC,
			    .says = "room",
			    .provoke = sending_on_full_disk,
			    .how = DESCRIPTOR },
	    [READ_ONLY] = { .err = -EINVAL,
			    .says = "open for reading only",
			    .provoke = fd_of_a_pipe,
			    .how = FERRY_RECV,
			    .first = FERRY_SEND },
	    [NO_PERMISSION] = NOT_APPLICABLE("it is open already"),
	    [NAME_IN_USE] = NOT_APPLICABLE("each link has a copy of it"),
	    [NOBODY_THERE] = TOLD(-ENOENT, "no such descriptor", refused,
				  "fd:777", FERRY_SEND),
	    [MALFORMED] = TOLD(-EINVAL, "not a descriptor's number", refused,
			       "fd:x", FERRY_SEND),
	    [NO_DESCRIPTORS] = TOLD(-EMFILE, LIMIT, refused_without_descriptors,
				    "fd:1", FERRY_SEND) } },
	{ "fault",
	  { [KILLED_PEER] = TOLD(-ECONNRESET, "died", sending_to_a_killed_one,
				 "fault+unix:%/s", LISTEN),
	    [FULL] = TOLD(-EAGAIN, "nothing can be moved now",
			  sending_when_full, "fault+unix:%/s", LISTEN),
	    [FULL_DISK] = TOLD(-ENOSPC, "room", refused_on_full_disk,
			       "fault+unix:%/s", LISTEN),
	    [READ_ONLY] = TOLD(-EACCES, "read-only", refused_read_only,
			       "fault+unix:%/s", LISTEN),
	    [NO_PERMISSION] = TOLD(-EACCES, "you may not write to it",
				   refused_to_others, "fault+unix:%/s",
				   FERRY_DUPLEX, .first = LISTEN),
	    [NAME_IN_USE] = TOLD(-EBUSY, "somebody listens there already",
				 refused_twice, "fault+unix:%/s", LISTEN),
	    [NOBODY_THERE] = TOLD(-ENOENT, "does not exist", refused,
				  "fault+unix:%/s", FERRY_DUPLEX),
	    [MALFORMED] = TOLD(-EINVAL, "needs one other scheme", refused,
			       "fault:x", FERRY_DUPLEX),
	    [NO_DESCRIPTORS] = TOLD(-EMFILE, LIMIT, refused_without_descriptors,
				    "fault+unix:%/s", LISTEN) } },
	{ 0 },
};

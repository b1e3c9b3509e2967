/* SPDX-License-Identifier: MIT */
/*
 * Scenarios of crash-kernel: what is done with a name.  A process that comes next can
 * do the same at once, and then nothing of it is left.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel.h"
#include "look.h"

/* --- what was there before ------------------------------------------------------- */

/* What one leaves that is killed with it open: `open_it` says how. */
static bool leave(const struct scenario *s, bool (*open_it)(const char *))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		if (!open_it(at(s->address)))
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status);
}

static bool listens(const char *address)
{
	struct ferry_link *l;

	return ferry_listen(&l, address) == 0;
}

static bool receives(const char *address)
{
	struct ferry_link *l;

	return ferry_open(&l, address, FERRY_RECV) == 0;
}

static bool a_dead_listener(const struct scenario *s)
{
	return leave(s, listens);
}

static bool a_dead_receiver(const struct scenario *s)
{
	return leave(s, receives);
}

static bool opens(const char *address)
{
	struct ferry_link *l;

	return ferry_open(&l, address, FERRY_DUPLEX) == 0;
}

static bool have_queue(const struct scenario *s)
{
	return leave(s, opens);
}

/* The file is there, and its queue was removed. */
static bool a_lost_queue(const struct scenario *s)
{
	const char *path = strchr(at(s->address), ':') + 1;
	unsigned key = 0;
	FILE *f;

	if (!a_dead_receiver(s) || !(f = fopen(path, "re")))
		return false;
	if (fscanf(f, "System V message queue of ferry key %x", &key) != 1)
		key = 0;
	fclose(f);
	return key && msgctl(msgget((key_t)key, 0), IPC_RMID, NULL) == 0;
}

/* --- the victim ------------------------------------------------------------------ */

static bool listen_there(const struct scenario *s)
{
	return ferry_listen(&mine, at(s->address)) == 0;
}

static bool receive_there(const struct scenario *s)
{
	return ferry_open(&mine, at(s->address), FERRY_RECV) == 0;
}

static bool open_queue(const struct scenario *s)
{
	return ferry_open(&mine, at(s->address), FERRY_DUPLEX) == 0;
}

static bool send_there(const struct scenario *s)
{
	return ferry_open(&mine, at(s->address), FERRY_SEND) == 0;
}

static bool close_it(const struct scenario *s)
{
	(void)s;
	ferry_close(mine);
	return true;
}

static bool remove_it(const struct scenario *s)
{
	return ferry_destroy(at(s->address)) == 0;
}

static bool accept_one(const struct scenario *s)
{
	struct ferry_link *peer;

	(void)s;
	return ferry_accept(mine, &peer, FERRY_FOREVER) == 0 &&
	       ferry_recv(peer, buffer, sizeof buffer, FERRY_FOREVER) == 5;
}

static bool connect_and_send(const struct scenario *s)
{
	if (ferry_open(&mine, at(s->address), FERRY_DUPLEX) ||
	    ferry_send(mine, "words", 5, FERRY_FOREVER))
		return false;
	board->accepted = 1;
	return true;
}

static bool make_pair(const struct scenario *s)
{
	struct ferry_link *ends[2];

	return ferry_pair(ends, s->address) == 0;
}

static bool open_descriptor(const struct scenario *s)
{
	char address[40];

	(void)s;
	snprintf(address, sizeof address, "fd:%d", outlet[1]);
	return ferry_open(&mine, address, FERRY_SEND) == 0;
}

/* --- the auditor ------------------------------------------------------------------- */

/* A victim that accepts has a client: the auditor. */
static int connected;
static volatile int tried;

static void *connect_to_it(void *scenario)
{
	const struct scenario *s = scenario;

	connected = ferry_open(&end, at(s->address), FERRY_DUPLEX);
	if (!connected)
		connected = ferry_send(end, "words", 5, single_soon());
	tried = 1;
	return NULL;
}

/* A client of a FIFO that was not accepted waits for the next server. */
static void stand_in(const struct scenario *s)
{
	struct look_limit limit = look_limit(SINGLE_HANG_S);
	struct ferry_link *l, *peer;

	if (tried)
		return;
	if (ferry_listen(&l, at(s->address))) {
		single_violate(s->name, "a second server cannot listen");
		return;
	}
	while (!tried && !look_is_over(&limit))
		if (ferry_accept(l, &peer, ferry_after(FERRY_MS(2))) == 0)
			ferry_close(peer);
	ferry_close(l);
}

static bool nobody_tried(const struct scenario *s)
{
	(void)s;
	tried = 0;
	return true;
}

static bool have_door(const struct scenario *s)
{
	return ferry_listen(&door, at(s->address)) == 0;
}

/* Whoever comes, until the victim is dead or connected. */
static void *accept_meanwhile(void *scenario)
{
	int err = -ETIMEDOUT;

	(void)scenario;
	while (err == -ETIMEDOUT && !is_dead())
		err = ferry_accept(door, &end, ferry_after(FERRY_MS(5)));
	return NULL;
}

static void audit_next_listener(const struct scenario *s, bool finished)
{
	(void)finished;
	anew(s, can_listen);
	if (s->can & STAYS)
		remove_all(s);
}

static void audit_next_receiver(const struct scenario *s, bool finished)
{
	(void)finished;
	anew(s, can_receive);
	if (s->can & (KEEPS | STAYS))
		remove_all(s);
}

/* If not all of it was removed, somebody can remove the rest. */
static void audit_removed(const struct scenario *s, bool finished)
{
	remove_all(s);
	audit_next_listener(s, finished);
}

static void audit_nothing(const struct scenario *s, bool finished)
{
	(void)s;
	(void)finished;
}

/* The client of a dead server hears that it is dead. */
static void audit_client(const struct scenario *s, bool finished)
{
	ssize_t r;

	if (end) {
		r = ferry_recv(end, buffer, sizeof buffer, single_soon());
		is_one_of(s, "the client's end", (int)r, -ECONNRESET, -ENODATA);
	} else if (finished) {
		single_violate(s->name, "the client was accepted, and has %s",
			       ferry_error_name(connected));
	}
	ferry_close(end);
	end = NULL;
	audit_next_listener(s, finished);
}

static bool is_next_client(const struct scenario *s)
{
	struct ferry_link *l;

	if (ferry_open(&l, at(s->address), FERRY_DUPLEX) ||
	    ferry_send(l, "again", 5, single_soon()) ||
	    ferry_recv(l, buffer, sizeof buffer, single_soon()) != 2)
		return false;
	ferry_close(l);
	return true;
}

static void *let_next_connect(void *scenario)
{
	anew(scenario, is_next_client);
	return NULL;
}

/* What the dead client has sent, and its end.  False: it was the next one. */
static bool is_dead_one(const struct scenario *s, struct ferry_link *l,
			bool finished)
{
	ssize_t n = ferry_recv(l, buffer, sizeof buffer, single_soon());

	if (n == 5 && memcmp(buffer, "again", 5) == 0) {
		ferry_send(l, "ok", 2, single_soon());
		return false;
	}
	if (n == 5 && memcmp(buffer, "words", 5) == 0)
		n = ferry_recv(l, buffer, sizeof buffer, single_soon());
	else if (finished || board->accepted)
		single_violate(s->name, "what was sent does not come");
	is_one_of(s, "behind the dead client", (int)n, -ENODATA, -ECONNRESET);
	return true;
}

/* The server of a dead client: it goes on to the next one. */
static void audit_server(const struct scenario *s, bool finished)
{
	bool came = false, more = true;
	pthread_t next;
	int err = 0;

	if (end)
		came = is_dead_one(s, end, finished);
	ferry_close(end);
	pthread_create(&next, NULL, let_next_connect, (void *)s);
	while (more && !err) {
		end = NULL;
		err = ferry_accept(door, &end, single_soon());
		more = !err && is_dead_one(s, end, finished && !came);
		came |= more;
		ferry_close(end);
	}
	pthread_join(next, NULL);
	end = NULL;
	is_one_of(s, "accepting the next client", err, 0, 0);
	if (finished && !came)
		single_violate(s->name, "the client did not come");
	ferry_close(door);
	door = NULL;
	audit_next_listener(s, finished);
}

#define LISTENS(what, where, how)                                              \
	{ .name = what ": listen",                                             \
	  .address = where,                                                    \
	  .can = how,                                                          \
	  .act = listen_there,                                                 \
	  .audit = audit_next_listener },                                      \
		{ .name = what ": listen where a dead one did",                \
		  .address = where,                                            \
		  .can = how,                                                  \
		  .make = a_dead_listener,                                     \
		  .act = listen_there,                                         \
		  .audit = audit_next_listener },                              \
		{ .name = what ": close the door",                             \
		  .address = where,                                            \
		  .can = how,                                                  \
		  .join = listen_there,                                        \
		  .act = close_it,                                             \
		  .audit = audit_next_listener },                              \
		{ .name = what ": accept",                                     \
		  .address = where,                                            \
		  .can = how,                                                  \
		  .make = nobody_tried,                                        \
		  .join = listen_there,                                        \
		  .act = accept_one,                                           \
		  .meanwhile = connect_to_it,                                  \
		  .behind = stand_in,                                          \
		  .audit = audit_client },                                     \
	{                                                                      \
		.name = what ": connect", .address = where, .can = how,        \
		.make = have_door, .act = connect_and_send,                    \
		.meanwhile = accept_meanwhile, .audit = audit_server           \
	}

#define RECEIVES_AT(what, where, how)                                          \
	{ .name = what ": open to receive",                                    \
	  .address = where,                                                    \
	  .can = how,                                                          \
	  .act = receive_there,                                                \
	  .audit = audit_next_receiver },                                      \
		{ .name = what ": open where a dead one received",             \
		  .address = where,                                            \
		  .can = how,                                                  \
		  .make = a_dead_receiver,                                     \
		  .act = receive_there,                                        \
		  .audit = audit_next_receiver },                              \
	{                                                                      \
		.name = what ": close", .address = where, .can = how,          \
		.join = receive_there, .act = close_it,                        \
		.audit = audit_next_receiver                                   \
	}

#define QUEUE(what, where, how)                                                \
	{ .name = what ": make",                                               \
	  .address = where,                                                    \
	  .can = KEEPS | how,                                                  \
	  .act = open_queue,                                                   \
	  .audit = audit_next_receiver },                                      \
		{ .name = what ": open",                                       \
		  .address = where,                                            \
		  .can = KEEPS | how,                                          \
		  .make = have_queue,                                          \
		  .act = send_there,                                           \
		  .audit = audit_next_receiver },                              \
	{                                                                      \
		.name = what ": remove", .address = where, .can = KEEPS | how, \
		.make = have_queue, .act = remove_it,                          \
		.audit = audit_next_receiver                                   \
	}

const struct scenario scenarios_of_names[] = {
	LISTENS("unix", "unix:%s/s?framing=len32", 0),
	LISTENS("unix seqpacket", "unix:%s/s?type=seqpacket", 0),
	LISTENS("unix, abstract", "unix:@ferry-crash-%d?framing=len32", 0),
	LISTENS("tcp", "tcp::%d?framing=len32", 0),
	LISTENS("fifo", "fifo:%s/f?framing=len32", STAYS),
	LISTENS("fifo duplex", "fifo:%s/f?duplex&framing=len32", 0),
	RECEIVES_AT("fifo", "fifo:%s/f?framing=len32", STAYS),
	RECEIVES_AT("fifo keep", "fifo:%s/f?framing=len32&keep", STAYS),
	RECEIVES_AT("unix dgram", "unix:%s/s?type=dgram", 0),
	RECEIVES_AT("unix dgram, abstract", "unix:@ferry-crash-%d?type=dgram",
		    0),
	RECEIVES_AT("udp", "udp::%d", 0),
	QUEUE("mq", "mq:/ferry-crash-%d?capacity=3&max=64", 0),
	QUEUE("sysv", "sysv:%d", 0),
	QUEUE("sysv with a capacity", "sysv:%d?capacity=1000", 0),
	QUEUE("sysv, by a path", "sysv:%s/q?capacity=1000&mode=0660", 0),
	QUEUE("file", "file:%s/log?mode=0660", FOR_ALL),
	QUEUE("file sync", "file:%s/log?sync", FOR_ALL),
	{ .name = "sysv, by a path: make one whose queue is gone",
	  .address = "sysv:%s/q",
	  .can = KEEPS,
	  .make = a_lost_queue,
	  .act = receive_there,
	  .audit = audit_next_receiver },
	{ .name = "fifo: remove",
	  .address = "fifo:%s/f?framing=len32",
	  .make = a_dead_receiver,
	  .can = STAYS,
	  .act = remove_it,
	  .audit = audit_next_receiver },
	{ .name = "fifo duplex: remove",
	  .address = "fifo:%s/f?duplex&framing=len32",
	  .make = a_dead_listener,
	  .act = remove_it,
	  .audit = audit_removed },
	{ .name = "pipe: make a pair",
	  .address = "pipe:?duplex",
	  .act = make_pair,
	  .audit = audit_nothing },
	{ .name = "unix: make a pair",
	  .address = "unix:?type=seqpacket",
	  .act = make_pair,
	  .audit = audit_nothing },
	{ .name = "fd: open", .act = open_descriptor, .audit = audit_nothing },
	{ .name = "signal: open to receive",
	  .address = "signal:self?signals=USR1,RTMIN",
	  .act = receive_there,
	  .audit = audit_nothing },
	{ .name = "signal: open to send",
	  .address = "signal:self",
	  .act = send_there,
	  .audit = audit_nothing },
	{ 0 },
};

/* SPDX-License-Identifier: MIT */
/*
 * Links: one open endpoint that messages or bytes go through.
 *
 * A link is opened with an address, "scheme:rest?key=value&...":
 *
 *   mailbox:NAME   (or just NAME)      named queue in shared memory
 *   topic:NAME                         named broadcast, see ferry/topic.h
 *   channel:NAME                       two processes, through memory of their own
 *   process:NAME                       a process, by the name it registered
 *   pipe:                              anonymous, made with ferry_pair(),
 *                                      ?duplex, ?direction=half
 *   fifo:PATH                          pipe with a name, ?duplex, ?keep
 *   unix:PATH  unix:@NAME              UNIX socket, ?type=stream|seqpacket|dgram
 *   tcp:HOST:PORT                      a stream to any machine, see ferry_tcp(7)
 *   udp:HOST:PORT                      datagrams to any machine, see ferry_udp(7)
 *   mq:/NAME                           POSIX message queue, see ferry_mq(7)
 *   sysv:KEY  sysv:PATH                System V message queue, see ferry_sysv(7)
 *   file:PATH                          a log that many append to, see ferry_file(7)
 *   signal:PID  signal:self            signals, see ferry/signal.h
 *   fd:N                               a descriptor that is already open
 *   fault+ANY                          any of them, with faults, see ferry/fault.h
 *
 * process:NAME is the process at which messages arrive: opened for FERRY_RECV only,
 * the caller, for whom NAME is registered; with FERRY_SEND, the other one.
 *
 * Keys every address may have:
 *   framing=stream|line|nul|len32   how bytes become messages; the default is
 *                                   the transport's own
 *   max=64K                         the longest message, with framing=; 1M
 *   timeout=500ms                   how long ferry_open() may wait to connect
 *
 * What an address cannot promise it refuses at open; ferry_transport() lists
 * what each one promises.
 *
 * Blocking: a call waits at most until its deadline, an absolute time from
 * ferry_after(), or FERRY_NOWAIT, or FERRY_FOREVER.  EINTR is never seen.
 *
 * Threads may share a link.  fork: in the child a shared-memory link answers
 * -ESTALE until ferry_adopt_after_fork(); kernel-backed links just work.
 * exec: every link is gone, as if the process had closed it in mid-call, unless
 * ferry_export() made a descriptor of it.
 */
#ifndef FERRY_LINK_H
#define FERRY_LINK_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <ferry/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Directions: for ferry_open(), ferry_shutdown() and ferry_listen(). */
#define FERRY_SEND   1u
#define FERRY_RECV   2u
#define FERRY_DUPLEX (FERRY_SEND | FERRY_RECV)

/* For ferry_open(), beside a direction: the library may start a thread where there is
 * no other way, which is in ferry_pollfd() only. */
#define FERRY_THREAD 4u

/* What is known of a sender's identity. */
enum ferry_proof {
	FERRY_CLAIMED, /* written by the sender itself */
	FERRY_KERNEL,  /* vouched for by the kernel */
};

/* A process, as it was when it sent or took; right even when it has ended. */
struct ferry_process {
	uint64_t start_time; /* clock ticks since boot, as in proc(5); 0: unknown */
	pid_t pid;	     /* in its own pid namespace; 0: unknown */
	uid_t uid; /* claimed: those of its first call; a daemon may have */
	gid_t gid; /* changed them since */
	enum ferry_proof proof;
	char name[16]; /* its comm, terminated */
};

/*
 * A message in place.  Filled by ferry_loan() and ferry_take(); the caller
 * may read every field and, between loan and commit, write data, len (only
 * smaller), type and priority.  It stays valid until the call that ends it: commit or
 * abandon, release, requeue or reject, or the close of its link.
 */
struct ferry_message {
	void *data;
	size_t len;
	struct ferry_link *link;
	uint64_t id;	     /* unique in the mailbox, kept over redelivery */
	uint64_t seq;	     /* position in the order of acceptance */
	int64_t sent_at;     /* CLOCK_REALTIME ns, as of the last tick */
	uint32_t type;	     /* the application's */
	uint32_t priority;   /* higher comes first; 0 where there is none */
	uint32_t deliveries; /* how often it was handed out, this time included */
	bool redelivered; /* an earlier receiver died with it or gave it back */
	struct ferry_process sender;
	/* The sender's address, for as long as the message; NULL: it has none. */
	const char *from;
	uint64_t reserved[4]; /* the library's */
};

/*
 * Open `address` for FERRY_SEND, FERRY_RECV or both.  A mailbox must exist
 * (ferry_mailbox_create() makes one).  *out is set only on success and is
 * closed with ferry_close().  May block to connect, at most `timeout`.
 * Errors: -EINVAL (malformed address), -ENOENT, -EACCES, -EPROTO, -EBADMSG,
 * -EOPNOTSUPP, -ECONNREFUSED, -ETIMEDOUT, -EMFILE, -ENOMEM, -ENOSPC, -EBUSY.
 * Looking up the name of a host may take longer than `timeout`.
 */
FERRY_API int ferry_open(struct ferry_link **out, const char *address,
			 unsigned flags);

/*
 * End the handle.  Messages that were taken through it and not released
 * return to the mailbox, marked redelivered; loans are dropped.  NULL is
 * allowed.  No other thread may use the link any more.  Waits for nobody; but
 * who ends a mailbox waits, 2 s at most, for one that is removing a name.
 */
FERRY_API void ferry_close(struct ferry_link *link);

/*
 * Listen at `address` (channel:, fifo:, unix: and tcp:).  The result is used with
 * ferry_accept() and ferry_close(), which removes the socket file it made.  A socket file
 * whose listener is dead is replaced, one that is alive is -EBUSY.
 */
FERRY_API int ferry_listen(struct ferry_link **out, const char *address);

/* Wait for a connection.  *out is a duplex link. */
FERRY_API int ferry_accept(struct ferry_link *door, struct ferry_link **out,
			   ferry_time deadline);

/*
 * Two connected ends, for parent and child or for threads.  "pipe:" gives
 * ends[0] to receive and ends[1] to send, "pipe:?duplex", "unix:" and "channel:"
 * two duplex ends.
 */
FERRY_API int ferry_pair(struct ferry_link *ends[2], const char *address);

/*
 * End of messages in one direction.  After FERRY_SEND the receiver reads what
 * is left and then gets -ENODATA; on a mailbox this holds for all senders,
 * whose sends and loans are then answered with -ENODATA as well.
 */
FERRY_API int ferry_shutdown(struct ferry_link *link, unsigned direction);

/*
 * Half-duplex (channel:NAME or pipe:, with direction=half): let the other side send.
 * Who receives and finds nothing lets go of the turn, too; then it is of who sends
 * first.  It is first with who connected, or ends[1] of a pair.  Never blocks.
 * -EBUSY: the turn is not ours.  -EOPNOTSUPP: both sides may send at any time.
 */
FERRY_API int ferry_turn(struct ferry_link *link);

/*
 * Send one message.  Returns 0 once the message is accepted: from then on it
 * survives the sender.  On any error nothing was sent.
 * Errors: -EAGAIN, -ETIMEDOUT, -ECANCELED, -EMSGSIZE, -ENOSPC, -ENODATA,
 * -ECONNRESET, -ESTALE, -EPROTOTYPE (a stream), -EBADMSG; -EBUSY: with
 * FERRY_NOWAIT, half-duplex, out of turn.  From hand to hand (capacity=0) it
 * returns when the message has been taken.
 */
FERRY_API int ferry_send(struct ferry_link *link, const void *data, size_t len,
			 ferry_time deadline);

/*
 * Receive one message into `buf` and acknowledge it.  Returns its length, which
 * may be 0.  -EMSGSIZE: it is longer than `size`; it stays first in the queue,
 * and ferry_next_len() tells its length.  -ENODATA: no more will come.
 */
FERRY_API ssize_t ferry_recv(struct ferry_link *link, void *buf, size_t size,
			     ferry_time deadline);

/*
 * Send messages[0] .. messages[n - 1], one after the other, each accepted by
 * itself: what was accepted when the call ends early, or the process dies,
 * stays sent.  Cheaper than n calls.  Returns how many were accepted: n, or
 * fewer, then the next call says why, if that lasts; or an error of ferry_send()
 * when it is that of the first.  What is told once, as -ECONNREFUSED through udp:,
 * is not told again after some were accepted.  Waits for room for all of them;
 * FERRY_NOWAIT sends what fits.
 */
FERRY_API ssize_t ferry_send_many(struct ferry_link *link,
				  const struct iovec *messages, size_t n,
				  ferry_time deadline);

/*
 * Receive and acknowledge up to `n` messages, one into each buffer, whose
 * iov_len becomes its length.  Waits for the first only.  Returns how many came,
 * or an error of ferry_recv() when there is none.  One that is longer than its
 * buffer ends the call and stays first.
 */
FERRY_API ssize_t ferry_recv_many(struct ferry_link *link,
				  struct iovec *buffers, size_t n,
				  ferry_time deadline);

/*
 * Send one message to `address`, through a link whose messages have a destination
 * each (FERRY_CAN_SEND_TO); `address` is of the link's scheme, as in
 * struct ferry_message.from, and may have no keys.  Otherwise as ferry_send(), and
 * -EINVAL: it is no such address; -ECONNREFUSED, -ENOENT: nobody is there, as far as
 * that is told; -EACCES.
 */
FERRY_API int ferry_send_to(struct ferry_link *link, const char *address,
			    const void *data, size_t len, ferry_time deadline);

#define FERRY_FDS_MAX 16 /* descriptors that one message may have */

/*
 * Send one message with `n` descriptors, at most FERRY_FDS_MAX, which stay the
 * caller's: the receiver gets copies.  Both or neither, also when this process is
 * killed in between.  Channels that have a capacity, and unix: with type=seqpacket
 * or dgram; elsewhere -EOPNOTSUPP, before anything is sent.  Errors: those of ferry_send(); -EINVAL: one of them is not
 * open; -EMFILE: too many are under way.
 */
FERRY_API int ferry_send_fds(struct ferry_link *link, const void *data,
			     size_t len, const int *fds, unsigned n,
			     ferry_time deadline);

/*
 * Receive one message and the descriptors that it has, which are the caller's to
 * close, and close-on-exec.  *n is how many `fds` has room for, and becomes how
 * many came: those beyond the room are closed, as ferry_recv() and ferry_take()
 * close all.  Errors: those of ferry_recv(); -EMFILE: this process has no room for
 * them, and the message stays first.
 */
FERRY_API ssize_t ferry_recv_fds(struct ferry_link *link, void *buf,
				 size_t size, int *fds, unsigned *n,
				 ferry_time deadline);

/*
 * Length of the next message.  -EAGAIN: none, not whole yet, or another thread
 * is receiving.  -ENODATA: no more will come.
 * -ECONNRESET, -EBADMSG, -EPROTOTYPE.  -EOPNOTSUPP: the kernel does not tell (sysv:).
 * Never blocks.
 */
FERRY_API ssize_t ferry_next_len(struct ferry_link *link);

/*
 * Write all of `len` bytes to a stream.  Returns `len`, or a smaller count
 * when the deadline passed in between, or an error when nothing was written.
 */
FERRY_API ssize_t ferry_write(struct ferry_link *link, const void *data,
			      size_t len, ferry_time deadline);

/*
 * Read 1..size bytes from a stream; waits for the first only.  -ENODATA at
 * the end of the stream.
 */
FERRY_API ssize_t ferry_read(struct ferry_link *link, void *buf, size_t size,
			     ferry_time deadline);

/*
 * A place for a message of `len` bytes, to be written in place where
 * FERRY_CAN_IN_PLACE says so, else to be copied by ferry_commit().  The message
 * then belongs to the caller until ferry_commit() or ferry_abandon().
 * Not on streams.  Waits for a free chunk, or room.
 * A channel has one loan at a time: -EBUSY, as when it is the other side's turn.
 */
FERRY_API int ferry_loan(struct ferry_link *link, size_t len,
			 struct ferry_message *out, ferry_time deadline);

/*
 * Send a loaned message.  On success *m is spent.  -ESTALE: the loan is gone;
 * -ENODATA: it may be; any other error: it is still the caller's.  -EOPNOTSUPP: it
 * has a priority, and the transport knows none (FERRY_CAN_PRIORITY).
 */
FERRY_API int ferry_commit(struct ferry_message *m, ferry_time deadline);

/* Give a loan back unsent.  Never blocks. */
FERRY_API int ferry_abandon(struct ferry_message *m);

/*
 * Take the next message and read it in place.  It is the caller's until
 * release, requeue or reject; when the process dies first, another receiver of a
 * mailbox gets it, marked redelivered (at-most-once mailboxes drop and count it),
 * and elsewhere it is gone.  Where FERRY_CAN_IN_PLACE is not promised it is a copy.
 */
FERRY_API int ferry_take(struct ferry_link *link, struct ferry_message *out,
			 ferry_time deadline);

/*
 * Answer a message that was taken and not yet released, through the link by which
 * it came, to the process that sent it; whether the link is open to send does not
 * matter.  Channels, process:, and links whose messages have a destination each, if
 * the sender has an address; elsewhere -EOPNOTSUPP.  Otherwise as
 * ferry_send().  -ECONNRESET: who sent it has gone.
 */
FERRY_API int ferry_reply(const struct ferry_message *m, const void *data,
			  size_t len, ferry_time deadline);

/* Acknowledge: it is never delivered again.  -ESTALE: it was no longer ours. */
FERRY_API int ferry_release(struct ferry_message *m);

/* Give it back, to be delivered again, not before `delay_ns` from now. */
FERRY_API int ferry_requeue(struct ferry_message *m, int64_t delay_ns);

/*
 * This message can never be processed: move it to the dead-letter mailbox,
 * or, where there is none, drop and count it.  -EAGAIN, -ENOSPC: the
 * dead-letter mailbox is full and the message is still the caller's.
 */
FERRY_API int ferry_reject(struct ferry_message *m);

/*
 * Copy a queued message without taking it: the first one whose seq is at least
 * *cursor.  Fills `out` (its data points to `buf`, its len is the whole
 * length even when `size` is smaller) and moves *cursor behind it.  -EAGAIN:
 * none.  A message may be taken by somebody else at any moment.
 */
FERRY_API int ferry_peek(struct ferry_link *link, uint64_t *cursor,
			 struct ferry_message *out, void *buf, size_t size);

/*
 * Make every wait on this link, present and future, return -ECANCELED, until
 * ferry_resume().  Async-signal-safe.
 */
FERRY_API void ferry_cancel(struct ferry_link *link);
FERRY_API void ferry_resume(struct ferry_link *link);

/*
 * In the child of fork(): make a link that was opened by the parent usable.
 * Messages that the parent holds stay the parent's, but an end of a channel is the
 * child's from then on: the parent closes it and uses neither it nor what it took.
 * process: is opened anew, and a name that the parent has is -EBUSY.
 */
FERRY_API int ferry_adopt_after_fork(struct ferry_link *link);

/*
 * Turn a link into one descriptor that crosses exec, or goes to another process
 * with ferry_send_fds(), and becomes a link again with ferry_adopt().  On success the
 * link is gone, and what was sent and not yet received is in the other one.  The
 * descriptor is not close-on-exec; when it is closed everywhere the end dies, and
 * the other side hears of that.  ferry_peer() goes on to name who connected.
 * An end of pipe: that goes one way becomes the pipe's own descriptor, which blocks:
 * any program can have it as its standard input or output, and one that uses Ferry
 * opens it as fd:N instead of adopting it.  One that goes both ways is adopted.
 * Never blocks.  Channels and pipe:.  Returns the descriptor.  Errors, with the link
 * as it was: -EOPNOTSUPP; -EBUSY: a call is under way, or a message is loaned or taken;
 * -ESTALE, -EMFILE.
 */
FERRY_API int ferry_export(struct ferry_link *link);

/*
 * The link that was exported as descriptor `fd`, which is closed on success.
 * Errors: -EINVAL: it is no exported link, or was adopted already; -EPROTO: it
 * comes from a library of another format; -EBADMSG, -EMFILE, -ENOMEM.
 */
FERRY_API int ferry_adopt(struct ferry_link **out, int fd);

/*
 * A descriptor for poll(2), epoll(7) and the loops that are built on them: readable
 * (POLLIN, for either direction) while a call in `direction`, FERRY_SEND or
 * FERRY_RECV, may be more than -EAGAIN, and after ferry_cancel().  So: when it is
 * readable, call with FERRY_NOWAIT until that says -EAGAIN.  It is the link's, the
 * same for its life, close-on-exec, and not to be read.  Of a link that listens,
 * FERRY_RECV: a connection to accept.  In the child of a fork it is asked for anew.
 * Where FERRY_CAN_TICK is promised it is readable now and then, to look again; a
 * mailbox or topic is, once a second, to look for the dead.
 *
 * Who waits for a mailbox or topic sleeps on memory, and for an event loop the kernel
 * does that: through io_uring(7), from Linux 6.7 on.  Where that is missing or
 * forbidden, a thread of the library's does it, all signals blocked, one for 63 links;
 * but only for a link that was opened with FERRY_THREAD, and it ends with them.
 * A loop never takes a wake-up from a receiver that sleeps.
 *
 * Never blocks.  Errors: -EOPNOTSUPP: a mailbox or topic, no io_uring, and no
 * FERRY_THREAD; or to send from hand to hand (capacity=0), where a call that does not
 * wait is over before its message can be taken; -EBUSY: another thread is in a call in
 * that direction; -ESTALE: before ferry_adopt_after_fork(); -EMFILE; -ENOMEM, also for
 * a thread.
 */
FERRY_API int ferry_pollfd(struct ferry_link *link, unsigned direction);

/* Who is at the other end of a connection, vouched for by the kernel. */
FERRY_API int ferry_peer(struct ferry_link *link, struct ferry_process *out);

/*
 * How the process at the other end has ended: *status is as waitpid(2) gives it.
 * Known of children of this process that nobody has waited for yet, and, since
 * Linux 6.16, of who connected or listened once its parent has waited for it.
 * Channels.  -EAGAIN: it has not ended, or is not known yet.  -ENODATA: nobody
 * knows.  -EOPNOTSUPP.  Reaps nothing, never blocks.
 */
FERRY_API int ferry_peer_exit(struct ferry_link *link, int *status);

/*
 * The canonical address of a link, e.g. "mailbox:jobs".  Lives as long as it.  Of
 * tcp: and udp: in numbers and without options: where the door listens, which port
 * the system chose, who is at the other end.
 */
FERRY_API const char *ferry_address(struct ferry_link *link);

/*
 * The address of this end of a link, to which the other one could send: tcp:, udp:
 * and unix:.  Terminates `buf` when size > 0; returns the length of the whole
 * address, as snprintf.  -EOPNOTSUPP; -ENOENT: this end has none.
 */
FERRY_API int ferry_local_address(struct ferry_link *link, char *buf,
				  size_t size);

/* What a transport promises.  Bits of struct ferry_transport_info.promises. */
#define FERRY_CAN_MESSAGES   (1u << 0) /* keeps message boundaries by itself */
#define FERRY_CAN_STREAM     (1u << 1)
#define FERRY_CAN_DUPLEX     (1u << 2)
#define FERRY_CAN_ORDER	     (1u << 3)
#define FERRY_CAN_RELIABLE   (1u << 4) /* none lost while one side lives */
#define FERRY_CAN_MANY_SEND  (1u << 5)
#define FERRY_CAN_MANY_RECV  (1u << 6) /* each message is taken by one */
#define FERRY_CAN_CONNECT    (1u << 7) /* listen, accept */
#define FERRY_CAN_PAIR	     (1u << 8)
#define FERRY_CAN_NAME	     (1u << 9) /* unrelated processes find it */
#define FERRY_CAN_SHUTDOWN   (1u << 10)
#define FERRY_CAN_PEER_DEATH (1u << 11) /* the other end's death is an event */
#define FERRY_CAN_CREDENTIAL (1u << 12) /* the kernel names the peer */
#define FERRY_CAN_IN_PLACE   (1u << 13) /* loan and take without a copy */
#define FERRY_CAN_REDELIVER  (1u << 14) /* release, requeue, reject */
#define FERRY_CAN_PEEK	     (1u << 15)
#define FERRY_CAN_PERSIST    (1u << 16) /* outlives its users when asked to */
#define FERRY_CAN_REMOTE     (1u << 17)
#define FERRY_CAN_FDS	     (1u << 18)
#define FERRY_CAN_BROADCAST  (1u << 19) /* each receiver sees every message */
#define FERRY_CAN_SEND_TO    (1u << 20) /* a destination a message */
#define FERRY_CAN_TYPE	     (1u << 21) /* messages have a type */
#define FERRY_CAN_PRIORITY   (1u << 22) /* the highest priority comes first */
#define FERRY_CAN_TICK	     (1u << 23) /* a wait looks again now and then */

struct ferry_transport_info {
	const char *scheme;  /* "mailbox" */
	const char *summary; /* one line for people */
	const char *naming, *framing, *direction, *buffering, *persistence;
	unsigned promises; /* FERRY_CAN_... */
};

/* Row `i` of the table of transports, or NULL behind the last one. */
FERRY_API const struct ferry_transport_info *ferry_transport(unsigned i);

#ifdef __cplusplus
}
#endif
#endif

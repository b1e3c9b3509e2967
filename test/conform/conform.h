/* SPDX-License-Identifier: MIT */
/*
 * The conformance suite: every scheme keeps the same promises.
 *
 * A fixture says how to make two connected ends of a scheme, and what is
 * expected of them.  The expectations stand here, not in the library's table,
 * so that the table can be wrong and be found out.  Each test of messages.c,
 * streams.c and life.c runs on every fixture it fits; a scheme of the table
 * without a fixture fails the suite.
 *
 * Each test is a process of its own with a directory of its own; behind it the
 * directory must be empty and no descriptor may be left.
 */
#ifndef FERRY_TEST_CONFORM_H
#define FERRY_TEST_CONFORM_H

#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <ferry.h>

struct fixture {
	const char *name; /* for people: "unix seqpacket" */
	const char *scheme;
	bool stream; /* else messages */
	bool duplex;
	bool in_turns;	   /* one side sends at a time */
	bool lends;	   /* loan and take */
	bool one_in_place; /* what was taken is released before the next */
	bool fds;	   /* descriptors with a message */
	bool shared;	   /* by more than the two */
	bool shutdown;
	bool drops;	  /* a full receiver loses what comes, untold */
	unsigned room;	  /* messages that fit, where that is no 30 */
	bool gone_late;	  /* some sends to one who has gone may pass */
	bool framed;	  /* messages over a stream */
	bool in_memory;	  /* is waited for: no descriptor tells */
	bool ticks;	  /* looks again now and then */
	bool ranked;	  /* by priority */
	bool untold;	  /* the next length is not known */
	bool endless;	  /* there is always room */
	bool values;	  /* signals: of a message its first 4 bytes arrive */
	size_t largest;	  /* a message that must pass */
	size_t too_large; /* one that must be refused; 0: none */
	int closed;	  /* receive when all senders have closed */
	int killed;	  /* receive when the only sender was killed */
	int gone;	  /* send when the receiver has closed */
	int forked;	  /* send in the child of a fork */
	unsigned across;  /* 4, 6: from host to host, by that version of IP */
	/*
	 * Where, with {place} and {pid} for those of the test; `to`: where
	 * ends[1] sends, if elsewhere; `before` stands before them.
	 */
	const char *address, *to, *before;
	/* ends[0] receives, ends[1] sends */
	void (*make)(struct ferry_link *ends[2]);
	/* remove what outlives its users; NULL: nothing does */
	void (*unmake)(void);
	/* a sender in a child; NULL: the inherited end itself */
	struct ferry_link *(*sender_in_child)(void);
};

/* A family of fixtures; each ends with a row without a name. */
extern const struct fixture fixtures_of_memory[];  /* mailbox: ... process: */
extern const struct fixture fixtures_of_kernel[];  /* pipe: unix: fd: */
extern const struct fixture fixtures_of_fifo[];	   /* fifo: */
extern const struct fixture fixtures_of_net[];	   /* tcp: udp: datagrams */
extern const struct fixture fixtures_of_queues[];  /* mq: sysv: file: */
extern const struct fixture fixtures_of_signals[]; /* signal: */

/* Of those before which fault+ stands, without any fault. */
const struct fixture *fixture_with_faults(unsigned i);

/* Fixture `i` of all of them, or NULL behind the last. */
const struct fixture *fixture(unsigned i);

/* One of a family, which must be there. */
const struct fixture *fixture_named(const char *name);

/* Addresses of the fixture f. */
#define ADDRESS_ROOM 200
void address_from(char out[ADDRESS_ROOM], const char *pattern);
const char *fixtures_keys(void); /* "?key=value", or "" */
struct ferry_link *open_at(const char *pattern, unsigned flags);

/* For `make`.  Those of connections listen, open and accept; ends[1] opens. */
void make_pair(struct ferry_link *ends[2]);
void make_one_way(struct ferry_link *ends[2]);
void make_both_ways(struct ferry_link *ends[2]);
void make_met(struct ferry_link *ends[2]);
void make_met_meanwhile(struct ferry_link *ends[2]); /* who opens waits */

/* The same at a port that the system chooses; between two hosts, if `across`. */
void make_met_where_it_listens(struct ferry_link *ends[2]);
void make_sent_there(struct ferry_link *ends[2]);

/* For `unmake` and `sender_in_child`. */
void unmake_by_name(void);
struct ferry_link *adopt_sender(void);
struct ferry_link *open_sending_end(void);

/* What most connections have in common. */
#define CONNECTED                                                              \
	.closed = -ENODATA, .killed = -ENODATA, .gone = -ECONNRESET,           \
	.shutdown = true

/* Messages over a stream, of at most that length. */
#define FRAMED(most) .framed = true, .largest = (most), .too_large = (most) + 1

/*
 * Two hosts (hosts.c), of the addresses of which the receiving one's are known.  Made
 * before all tests, for that version of IP: NULL, or why there are none.  What is
 * opened from then on is at that host, if the fixture f goes across.
 */
#define HOST_V4 "10.9.8.2"
#define HOST_V6 "fd09:8::2"
enum host { SENDING, RECEIVING };
const char *make_hosts(unsigned version);
void enter_host(enum host h);

/* Set up for each test: the fixture of this test and its two ends. */
extern const struct fixture *f;
extern struct ferry_link *receiver, *sender;
extern char place[80];	       /* the directory of this test */
extern char place_for_all[40]; /* of all tests, and others may go there */

#define SOON	   ferry_after(FERRY_S(10))
#define SHORT_TIME FERRY_MS(60)

/* ck_assert for results: says the number's name and the sentence. */
#define ok(link, r)                                                            \
	do {                                                                   \
		long long r_ = (long long)(r);                                 \
		char why_[300];                                                \
		ferry_explain(link, r_ < 0 ? (int)r_ : 0, why_, sizeof why_);  \
		ck_assert_msg(r_ >= 0, "%s: %s", ferry_error_name((int)r_),    \
			      why_);                                           \
	} while (0)

/* The result is exactly this error, and there is a sentence for it. */
#define fails(link, r, wanted)                                                 \
	do {                                                                   \
		long long r_ = (long long)(r);                                 \
		char why_[300] = "";                                           \
		ferry_explain(link, r_ < 0 ? (int)r_ : 0, why_, sizeof why_);  \
		ck_assert_msg(r_ == (wanted), "%s (%lld), not %s: %s",         \
			      ferry_error_name((int)r_), r_,                   \
			      ferry_error_name(wanted), why_);                 \
		ck_assert_msg(strlen(why_) > 5, "no sentence");                \
	} while (0)

/* First in each test of a fixture. */
void begin(int i);
void begin_with(const struct fixture *this);

int count_fds(void);

/* Called once, just before the next connect(2), also of the library (between.c). */
extern void (*before_connect)(void);

/* Wait until so many other threads of this process sleep. */
void until_asleep(int n);
void close_ends(void);
void close_end(struct ferry_link **end);

/* Letters that depend on `seed`; they suit every framing. */
void fill(char *buf, size_t len, unsigned seed);
void send_text(struct ferry_link *l, const char *text);

/* A message of the fixture f, stream or not: what ferry_write() or ferry_send() says,
 * and how many bytes of it came. */
long long give(struct ferry_link *l, const char *text);
long long give_by(struct ferry_link *l, const char *text, ferry_time deadline);
ssize_t get(struct ferry_link *l, char *buf, size_t size, ferry_time deadline);

void expect_text(struct ferry_link *l, const char *text);

/* In place: the sender's message of that type and priority, and the one that the
 * receiver takes. */
int send_marked(const char *text, unsigned type, unsigned priority);
void expect_marked(const char *text, unsigned type, unsigned priority);

/* What this machine does not allow is told, and the test ends. */
#define skip_unless(possible, why)                                             \
	do {                                                                   \
		if (!(possible)) {                                             \
			printf("skipped: %s: %s\n", __func__, why);            \
			return;                                                \
		}                                                              \
	} while (0)

/* fork(); in the child `run` and _exit(0).  */
pid_t child(void (*run)(void *arg), void *arg);
void expect_exit(pid_t pid, int status);

/* In a child without root's rights, who owns nothing here; it ends with 0. */
void as_nobody(void (*run)(void *arg), void *arg);

/* The sentence of the last call, which failed with `err`, has this in it. */
void says(struct ferry_link *l, int err, const char *text);

/* The sending end as a child of a fork has it. */
struct ferry_link *childs_sender(void);

/* What this program does when a test has run it again. */
int child_of_pipe(void);
int child_of_half_pipe(void);

/* Each adds its tests; those of fixtures to the case of fixture i. */
void add_message_tests(TCase *tc, int i);
void add_many_tests(TCase *tc, int i);
void add_descriptor_tests(TCase *tc, int i);
void add_stream_tests(TCase *tc, int i);
void add_life_tests(TCase *tc, int i);
void add_wait_tests(TCase *tc, int i);
void add_poll_tests(TCase *tc, int i);
void add_table_tests(TCase *tc);
void add_address_tests(TCase *tc);
void add_framing_tests(TCase *tc);
void add_error_tests(TCase *tc);
void add_unix_tests(TCase *tc);
void add_unix_file_tests(TCase *tc);
void add_signal_tests(TCase *tc);
void add_signal_send_tests(TCase *tc);
void add_unix_message_tests(TCase *tc);
void add_tcp_tests(TCase *tc);
void add_udp_tests(TCase *tc);
void add_fd_tests(TCase *tc);
void add_file_tests(TCase *tc);
void add_file_rotate_tests(TCase *tc);
void add_file_torn_tests(TCase *tc);
void add_mq_tests(TCase *tc);
void add_sysv_tests(TCase *tc);
void add_sysv_path_tests(TCase *tc);
void add_sysv_look_tests(TCase *tc);
void add_pipe_tests(TCase *tc);
void add_pipe_half_tests(TCase *tc);
void add_fifo_tests(TCase *tc);
void add_fifo_meet_tests(TCase *tc);
void add_fifo_between_tests(TCase *tc);
void add_poll_memory_tests(TCase *tc);
void add_poll_dead_tests(TCase *tc);
void add_fault_tests(TCase *tc);
void add_fault_link_tests(TCase *tc);
void add_fault_datagram_tests(TCase *tc);
void add_fault_stream_tests(TCase *tc);
void add_host_tests(TCase *tc);

#endif

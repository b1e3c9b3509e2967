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
	bool framed;	  /* messages over a stream */
	size_t largest;	  /* a message that must pass */
	size_t too_large; /* one that must be refused; 0: none */
	int closed;	  /* receive when all senders have closed */
	int killed;	  /* receive when the only sender was killed */
	int gone;	  /* send when the receiver has closed */
	int forked;	  /* send in the child of a fork */
	/* ends[0] receives, ends[1] sends */
	void (*make)(struct ferry_link *ends[2]);
	/* a sender in a child; NULL: the inherited end itself */
	struct ferry_link *(*sender_in_child)(void);
};

/* A family of fixtures; each ends with a row without a name. */
extern const struct fixture fixtures_of_memory[]; /* mailbox: ... process: */
extern const struct fixture fixtures_of_kernel[]; /* pipe: unix: fd: */
extern const struct fixture fixtures_of_faults[]; /* fault+ANY: without any */

/* Fixture `i` of all of them, or NULL behind the last. */
const struct fixture *fixture(unsigned i);

/* For a family: listen, connect and accept at `address`; ends[1] connected. */
void meet(struct ferry_link *ends[2], const char *address);

/* What most connections have in common. */
#define CONNECTED                                                              \
	.closed = -ENODATA, .killed = -ENODATA, .gone = -ECONNRESET,           \
	.shutdown = true

/* Set up for each test: the fixture of this test and its two ends. */
extern const struct fixture *f;
extern struct ferry_link *receiver, *sender;
extern char place[80]; /* the directory of this test */

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

int count_fds(void);
void close_ends(void);
void close_end(struct ferry_link **end);

/* Letters that depend on `seed`; they suit every framing. */
void fill(char *buf, size_t len, unsigned seed);
void send_text(struct ferry_link *l, const char *text);
void expect_text(struct ferry_link *l, const char *text);

/* fork(); in the child `run` and _exit(0).  */
pid_t child(void (*run)(void *arg), void *arg);
void expect_exit(pid_t pid, int status);

/* The sending end as a child of a fork has it. */
struct ferry_link *childs_sender(void);

/* Each adds its tests; those of fixtures to the case of fixture i. */
void add_message_tests(TCase *tc, int i);
void add_many_tests(TCase *tc, int i);
void add_descriptor_tests(TCase *tc, int i);
void add_stream_tests(TCase *tc, int i);
void add_life_tests(TCase *tc, int i);
void add_wait_tests(TCase *tc, int i);
void add_table_tests(TCase *tc);
void add_address_tests(TCase *tc);
void add_framing_tests(TCase *tc);
void add_unix_tests(TCase *tc);
void add_unix_file_tests(TCase *tc);
void add_fd_tests(TCase *tc);
void add_fault_tests(TCase *tc);
void add_fault_link_tests(TCase *tc);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Bounded buffers compared: the two of the textbooks, a channel and a mailbox, each
 * with a producer that is killed in the middle, and with a consumer that is
 * killed with an item in its hands.  What was accepted is counted against what
 * was done: the difference is lost.
 *
 *	cc 12-bounded-buffers-compared.c $(pkg-config --cflags --libs ferry)
 *
 * The ones of the textbooks wait by asking again and again; who waits at Ferry's
 * sleeps.  Who hears ETIMEDOUT is told nothing and would wait for ever: at a mailbox
 * for whoever comes next, who gets what the dead one had in its hands.
 */
#include <signal.h>
#include <sys/wait.h>

#include "four-buffers.h"

#define SOME	 5 /* items, fewer than any of them holds */
#define PATIENCE ferry_after(FERRY_MS(200))

/* What the processes tell of themselves, in memory that no death takes away. */
static struct {
	_Atomic int accepted; /* put, and told so */
	_Atomic int done;     /* taken, and worked on */
	_Atomic int in_hand;  /* taken, and not worked on */
} * seen;

struct result {
	int lost, heard;
};

static void start_again(const struct buffer *b)
{
	seen->accepted = seen->done = seen->in_hand = 0;
	b->make();
}

static void kill_it(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static int count_places(const struct buffer *b)
{
	int n = 0;

	start_again(b);
	while (b->put(n, FERRY_NOWAIT) == 0)
		n++;
	b->end();
	return n;
}

/* --- the producer is killed, wherever it is ------------------------------------------- */

static void produce(const struct buffer *b)
{
	b->be(PRODUCER, true);
	for (int item = 1; b->put(item, FERRY_FOREVER) == 0; item++)
		seen->accepted = item;
	_exit(1);
}

static struct result kill_the_producer(const struct buffer *b)
{
	struct result r = { 0, 0 };
	int item, last = 0;
	bool killed = false;
	pid_t pid;

	start_again(b);
	if ((pid = fork()) == 0)
		produce(b);
	b->be(CONSUMER, false);
	while ((r.heard = b->take(&item, killed ? PATIENCE : FERRY_FOREVER)) ==
	       0) {
		b->done();
		r.lost += item - last - 1; /* between this one and the last */
		last = item;
		if (item == 200) {
			kill_it(pid);
			killed = true;
		}
	}
	if (seen->accepted > last)
		r.lost += seen->accepted - last;
	b->end();
	return r;
}

/* --- the consumer is killed, with an item in its hands --------------------------------- */

static void consume(const struct buffer *b, int die_with)
{
	int item;

	b->be(CONSUMER, true);
	while (b->take(&item, die_with ? FERRY_FOREVER : PATIENCE) == 0) {
		if (item == die_with) {
			seen->in_hand = item;
			for (;;)
				pause();
		}
		seen->done++;
		b->done();
	}
	b->end();
	_exit(0);
}

static pid_t start_consumer(const struct buffer *b, int die_with)
{
	pid_t pid = fork();

	if (pid == 0)
		consume(b, die_with);
	b->be(PRODUCER, false);
	return pid;
}

static struct result kill_the_consumer(const struct buffer *b)
{
	struct result r;
	int n = 0;
	pid_t pid;

	start_again(b);
	pid = start_consumer(b, 3);
	while (n < SOME && b->put(n + 1, FERRY_FOREVER) == 0)
		n++;
	while (!seen->in_hand)
		sched_yield();
	kill_it(pid);
	while ((r.heard = b->put(n + 1, PATIENCE)) == 0)
		n++;
	if (r.heard == -ECONNRESET) {
		/* who is told can send again what was not done */
		b->end();
		b->make();
		for (int item = seen->done + 1; item <= n; item++)
			b->put(item, FERRY_NOWAIT);
	}
	waitpid(start_consumer(b, 0), NULL, 0);
	r.lost = n - seen->done;
	b->end();
	return r;
}

/* --- the table ------------------------------------------------------------------------- */

int main(void)
{
	seen = shared_memory(sizeof *seen);
	printf("%-16s%6s   %-20s%s\n", "", "", "producer killed",
	       "consumer killed");
	printf("%-16s%6s%6s  %-15s%6s  %s\n", "", "holds", "lost",
	       "consumer hears", "lost", "producer hears");
	for (size_t i = 0; i < N_BUFFERS; i++) {
		const struct buffer *b = &buffers[i];
		int n = count_places(b);
		struct result p = kill_the_producer(b);
		struct result c = kill_the_consumer(b);

		printf("%-16s%6d%6d  %-15s%6d  %s\n", b->name, n, p.lost,
		       ferry_error_name(p.heard), c.lost,
		       ferry_error_name(c.heard));
		fflush(stdout); /* or a child would print it again */
	}
	return 0;
}

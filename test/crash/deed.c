/* SPDX-License-Identifier: MIT */
/*
 * Each deed writes down what it is about to do, does it, and writes down what
 * came of it.
 */
#include "deed.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "payload.h"

static const struct scenario *scenario;
static size_t size;
static unsigned char *buffer;
static bool stepped;

void deed_setup(const struct scenario *sc)
{
	scenario = sc;
	size = scenario_size(sc);
	buffer = malloc(DEED_MANY * size);
	if (!buffer)
		_exit(2);
}

void deed_stepped(void)
{
	stepped = true;
}

static void off_the_record(void)
{
	if (stepped)
		step_skip_begin(&ledger->marks);
}

static void on_the_record(void)
{
	if (stepped)
		step_skip_end(&ledger->marks);
}

struct ferry_link *deed_open(const char *name)
{
	struct ferry_link *link = NULL;
	int err = ferry_open(&link, name, FERRY_DUPLEX);
	char why[200];

	if (err) {
		ferry_explain(NULL, err, why, sizeof(why));
		violate(FAULT_OTHER, "cannot open %s: %s", name, why);
	}
	return link;
}

struct ferry_link *deed_create(const char *name)
{
	struct ferry_mailbox_options o = FERRY_MAILBOX_OPTIONS;
	struct ferry_link *link = NULL;
	char why[200];
	int err;

	o.capacity = CAPACITY;
	o.flags = FERRY_CREATE_IF_MISSING;
	if (scenario->flags & SC_KERNEL)
		o.persistence = FERRY_PERSIST_KERNEL;
	if (scenario->flags & SC_DEAD_LETTERS)
		o.dead_letter = "other";
	if (scenario->options)
		scenario->options(&o);
	err = ferry_mailbox_create(&link, name, &o);
	if (err) {
		ferry_explain(NULL, err, why, sizeof(why));
		violate(FAULT_OTHER, "cannot create %s: %s", name, why);
	}
	return link;
}

static void began(long id, void *data)
{
	struct entry *e = &ledger->entry[id];

	payload_fill(data, size, id);
	e->sender = getpid();
	e->began = 1;
}

int deed_send(struct ferry_link *link, long id, ferry_time deadline)
{
	int err;

	off_the_record();
	began(id, buffer);
	on_the_record();
	err = ferry_send(link, buffer, size, deadline);
	if (err == 0)
		ledger->entry[id].accepted = 1;
	return err;
}

int deed_loan(struct ferry_link *link, long id, struct ferry_message *m,
	      ferry_time deadline)
{
	int err = ferry_loan(link, size, m, deadline);

	if (err)
		return err;
	off_the_record();
	began(id, m->data);
	on_the_record();
	return 0;
}

int deed_commit(struct ferry_message *m, long id, ferry_time deadline)
{
	int err = ferry_commit(m, deadline);

	if (err == 0)
		ledger->entry[id].accepted = 1;
	return err;
}

int deed_take(struct ferry_link *link, struct ferry_message *m,
	      ferry_time deadline)
{
	int err = ferry_take(link, m, deadline);

	if (err)
		return err;
	off_the_record();
	if (ledger_deliver(m, size) < 0)
		err = -EBADMSG;
	on_the_record();
	return err;
}

/* The number of a message that was delivered whole. */
static struct entry *entry_of(const struct ferry_message *m)
{
	const int64_t *id = m->data;

	return &ledger->entry[*id % LEDGER_IDS];
}

int deed_release(struct ferry_message *m)
{
	struct entry *e = entry_of(m);
	int err;

	e->ending = 1;
	err = ferry_release(m);
	if (err == 0)
		e->acked = 1;
	e->ending = 0;
	return err;
}

int deed_consume(struct ferry_link *link, ferry_time deadline)
{
	struct ferry_message m;
	int err = deed_take(link, &m, deadline);

	if (err == 0 && deed_release(&m))
		violate(FAULT_OTHER, "a release by a living process failed");
	return err;
}

ssize_t deed_send_many(struct ferry_link *link, long id)
{
	struct iovec v[DEED_MANY];
	ssize_t n;

	off_the_record();
	for (unsigned i = 0; i < DEED_MANY; i++) {
		v[i] = (struct iovec){ buffer + i * size, size };
		began(id + i, v[i].iov_base);
	}
	on_the_record();
	n = ferry_send_many(link, v, DEED_MANY, FERRY_NOWAIT);
	for (ssize_t i = 0; i < n; i++)
		ledger->entry[id + i].accepted = 1;
	return n;
}

/* Its receiver has not seen what it is called, nor whether it came before. */
static void received(const void *data, size_t len)
{
	long id = payload_check(data, len, size);

	if (id < 0 || id >= LEDGER_IDS) {
		violate(FAULT_DAMAGED, "a message of %zu bytes is damaged",
			len);
		return;
	}
	ledger->entry[id].seen++;
	ledger->entry[id].acked = 1;
}

/* All that is queued may end before the call returns and says so. */
static void may_end(int ending)
{
	for (int i = 0; i < scenario->queued; i++)
		ledger->entry[ID_QUEUED + i].ending = ending;
}

ssize_t deed_recv_many(struct ferry_link *link)
{
	struct iovec v[DEED_MANY];
	ssize_t n;

	off_the_record();
	for (unsigned i = 0; i < DEED_MANY; i++)
		v[i] = (struct iovec){ buffer + i * size, size };
	may_end(1);
	on_the_record();
	n = ferry_recv_many(link, v, DEED_MANY, FERRY_NOWAIT);
	off_the_record();
	for (ssize_t i = 0; i < n; i++)
		received(v[i].iov_base, v[i].iov_len);
	may_end(0);
	on_the_record();
	return n;
}

int deed_gc(void)
{
	struct ferry_garbage *g = NULL;
	size_t n = 0;
	int err = ferry_gc(NULL, true, &g, &n);

	if (err < 0)
		violate(FAULT_OTHER, "gc failed with %s",
			ferry_error_name(err));
	ferry_free(g);
	return err;
}

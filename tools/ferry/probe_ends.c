/* SPDX-License-Identifier: MIT */
/* The two ends of `ferry probe`, and what its address says of them. */
#include "probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "address.h"
#include "cancel.h"
#include "report.h"

/* Where nothing ends a direction, the word that it was all is said so often. */
#define LAST_WORDS 5

/* How long the first message may take, and the ones behind the last word. */
#define BEGINNING  FERRY_S(10)
#define AFTERWARDS FERRY_MS(100)

/* --- the address ------------------------------------------------------------- */

static bool is_fault(const char *key)
{
	static const char *const keys[] = { "seed",   "drop",  "dup", "reorder",
					    "damage", "delay", "cut", NULL };
	size_t n = strcspn(key, "=&");

	for (int i = 0; keys[i]; i++)
		if (strlen(keys[i]) == n && strncmp(keys[i], key, n) == 0)
			return true;
	return false;
}

/* Without the keys that are faults. */
static void without_faults(char *out, const char *address)
{
	const char *key = strchr(address, '?');
	size_t n = key ? (size_t)(key - address) : strlen(address);
	char before = '?';

	memcpy(out, address, n);
	while (key) {
		size_t len = strcspn(key + 1, "&") + 1;

		if (!is_fault(key + 1)) {
			memcpy(out + n, key, len);
			out[n] = before;
			before = '&';
			n += len;
		}
		key = key[len] ? key + len : NULL;
	}
	out[n] = 0;
}

bool probe_understand(struct probe *p, const char *address)
{
	const char *plain = address_behind(address);
	const struct ferry_transport_info *t = address_transport(plain);
	const char *rest = plain + strcspn(plain, ":");

	if (strlen(address) > 4096)
		usage_error("an ADDRESS has at most 4096 bytes");
	if (!t)
		return false;
	p->name = address;
	snprintf(p->sends, sizeof p->sends, "%s", address);
	if (plain != address)
		without_faults(p->plain, plain);
	else
		snprintf(p->plain, sizeof p->plain, "%s", plain);
	if (address_is_stream(t, plain)) {
		address_add(p->sends, sizeof p->sends, "framing", "len32");
		address_add(p->plain, sizeof p->plain, "framing", "len32");
	}
	p->pairs = t->promises & FERRY_CAN_PAIR && *rest &&
		   (!rest[1] || rest[1] == '?');
	p->connects = t->promises & FERRY_CAN_CONNECT;
	/* What many send to is not ended for all of them. */
	p->ends = t->promises & FERRY_CAN_SHUTDOWN &&
		  !(t->promises & FERRY_CAN_MANY_SEND);
	return true;
}

/* --- sending --------------------------------------------------------------------- */

/* Without faults, when all the others have gone. */
static int say_last(const struct probe *p, void *buf)
{
	struct ferry_link *l;
	int r = ferry_open(&l, p->plain, FERRY_SEND);

	if (r < 0)
		return report_error(p->name, NULL, r);
	cancel_on_signals(l);
	probe_write(p, buf, p->count);
	/* The other end may go with the first of them. */
	for (int i = 0; i < LAST_WORDS && r == 0; i++)
		r = ferry_send(l, buf, p->size, ferry_after(p->patience));
	cancel_forget();
	ferry_close(l);
	return 0;
}

/* A call that need not sleep does not tell that it was cancelled: so each turn asks. */
static int send_all(const struct probe *p, struct ferry_link *l, void *buf,
		    uint64_t *sent)
{
	int r = 0;

	for (*sent = 0; *sent < p->count && r == 0; *sent += r == 0) {
		probe_write(p, buf, *sent);
		r = cancelled() ? -ECANCELED :
				  ferry_send(l, buf, p->size, FERRY_FOREVER);
		if (!(*sent & 1023))
			progress(p->name, *sent, (int64_t)(p->count - *sent));
	}
	progress_end();
	return r;
}

/* What is held back goes out with the shutdown, as soon as there is room. */
static int end_sending(const struct probe *p, struct ferry_link *l)
{
	ferry_time deadline = ferry_after(p->patience);
	int r;

	while ((r = ferry_shutdown(l, FERRY_SEND)) == -EBUSY &&
	       ferry_after(0) < deadline)
		usleep(1000);
	return r;
}

int probe_send(const struct probe *p, struct ferry_link *l, uint64_t *sent,
	       struct ferry_fault_stat *injected)
{
	void *buf = malloc(p->size);
	int r, status = 0;

	if (!buf) {
		ferry_close(l);
		return report_sys(p->name, ENOMEM);
	}
	cancel_on_signals(l);
	r = send_all(p, l, buf, sent);
	if (r == 0 && p->ends)
		r = end_sending(p, l);
	*injected = (struct ferry_fault_stat){ .size = sizeof *injected };
	ferry_fault_stat(l, injected);
	if (r < 0 && !injected->cut)
		status = report_error(p->name, l, r);
	cancel_forget();
	ferry_close(l);
	if (!status && !p->ends && !cancelled())
		status = say_last(p, buf);
	free(buf);
	return status;
}

/* --- receiving ------------------------------------------------------------------- */

static int accept_one(const struct probe *p, struct ferry_link **out, int ready)
{
	struct ferry_link *door;
	int r = ferry_listen(&door, p->plain);

	if (r < 0)
		return r;
	cancel_on_signals(door);
	if (ready >= 0 && write(ready, "", 1) < 0)
		r = -errno;
	if (r == 0)
		r = ferry_accept(door, out, FERRY_FOREVER);
	cancel_forget();
	ferry_close(door);
	return r;
}

int probe_open_receiver(const struct probe *p, struct ferry_link **out,
			int ready)
{
	int r;

	if (p->connects)
		return accept_one(p, out, ready);
	r = ferry_open(out, p->plain, FERRY_RECV);
	if (r == 0 && ready >= 0 && write(ready, "", 1) < 0)
		r = -errno;
	return r;
}

static bool is_end(ssize_t r)
{
	return r == -ENODATA || r == -ECONNRESET || r == -ETIMEDOUT;
}

static ssize_t receive_all(const struct probe *p, struct ferry_link *l,
			   struct probe_judge *j, void *buf)
{
	int64_t wait = p->ends ? -1 : BEGINNING;
	ssize_t n;

	while ((n = ferry_recv(l, buf, p->size,
			       wait < 0 ? FERRY_FOREVER : ferry_after(wait))) >=
	       0) {
		if (probe_judge(j, buf, (size_t)n) && !p->ends)
			wait = AFTERWARDS;
		else if (wait == BEGINNING)
			wait = p->patience;
		if (cancelled())
			return -ECANCELED;
	}
	return n;
}

int probe_receive(const struct probe *p, struct ferry_link *l,
		  struct probe_counts *out)
{
	struct probe_judge *j = probe_judge_new(p);
	void *buf = malloc(p->size);
	int status = 0;
	ssize_t r;

	if (!j || !buf) {
		free(buf);
		probe_judge_free(j);
		return report_sys(p->name, ENOMEM);
	}
	cancel_on_signals(l);
	r = receive_all(p, l, j, buf);
	if (!is_end(r))
		status = report_error(p->name, l, (int)r);
	cancel_forget();
	probe_judge_counts(j, out);
	probe_judge_free(j);
	free(buf);
	return status;
}

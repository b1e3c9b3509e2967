/* SPDX-License-Identifier: MIT */
/* Messages to standard output: see framing.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include "cancel.h"
#include "framing.h"
#include "json.h"

void output_init(struct output *o, enum framing framing, const char *mailbox)
{
	o->framing = framing;
	o->newline = isatty(STDOUT_FILENO);
	o->kind = "mailbox";
	o->mailbox = mailbox;
}

/* --- writing, until a signal ends it --------------------------------------------- */

/*
 * May a reader keep us waiting, and does poll(2) tell when it does not?  Of a terminal
 * *fd becomes one of our own that does not wait: the other one is shared with a shell.
 */
static bool can_wait(int *fd)
{
	static int terminal = -1;
	char path[40];
	struct stat st;

	if (fstat(*fd, &st) != 0)
		return false;
	if (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode))
		return true;
	if (!isatty(*fd))
		return false;
	snprintf(path, sizeof path, "/proc/self/fd/%d", *fd);
	if (terminal < 0)
		terminal = open(path,
				O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (terminal >= 0)
		*fd = terminal;
	return terminal >= 0;
}

/* As a FIFO needs it: with room for anything it has room for PIPE_BUF bytes. */
static ssize_t write_when_ready(int fd, const struct iovec *v)
{
	size_t len = v->iov_len < PIPE_BUF ? v->iov_len : PIPE_BUF;

	if (cancel_wait_writable(fd) < 0)
		return -1;
	return write(fd, v->iov_base, len);
}

/*
 * write(2) of many, that waits in cancel_wait_writable() only: a signal just before
 * a write that sleeps would be seen only after the reader has read.  By number: musl has
 * no pwritev2() before 1.2.5.
 */
static ssize_t write_some(int fd, const struct iovec *v, int n, bool waits)
{
	ssize_t len = -1;

	errno = EOPNOTSUPP;
	if (waits)
		len = syscall(SYS_pwritev2, fd, v, (long)n, -1L, -1L,
			      RWF_NOWAIT);
	if (len < 0 && (errno == EOPNOTSUPP || errno == ENOSYS))
		len = waits ? write_when_ready(fd, v) : writev(fd, v, n);
	if (len < 0 && errno == EAGAIN)
		len = cancel_wait_writable(fd) < 0 ? -1 : 0;
	else if (len < 0 && errno == EINTR && !cancelled())
		len = 0;
	return len;
}

/* All of it; changes `v`. */
static bool write_all(int fd, struct iovec *v, int n)
{
	bool waits = can_wait(&fd);

	while (n) {
		ssize_t len = cancelled() ? -1 : write_some(fd, v, n, waits);

		if (len < 0)
			return false;
		for (; n && (size_t)len >= v->iov_len; v++, n--)
			len -= (ssize_t)v->iov_len;
		if (n) {
			v->iov_base = (char *)v->iov_base + len;
			v->iov_len -= (size_t)len;
		}
	}
	return true;
}

bool output_to(int fd, const void *data, size_t len)
{
	struct iovec v = { .iov_base = (void *)(uintptr_t)data,
			   .iov_len = len };

	return write_all(fd, &v, 1);
}

bool output_bytes(const void *data, size_t len)
{
	return !fflush(stdout) && output_to(STDOUT_FILENO, data, len);
}

/* --- messages -------------------------------------------------------------------- */

/* When the machine was started, in seconds of CLOCK_REALTIME; 0: unknown. */
static int64_t boot_time(void)
{
	static int64_t seconds = -1;
	char line[256];
	FILE *f;

	if (seconds >= 0)
		return seconds;
	seconds = 0;
	f = fopen("/proc/stat", "re");
	if (!f)
		return 0;
	while (!seconds && fgets(line, sizeof line, f))
		if (!strncmp(line, "btime ", 6))
			seconds = strtoll(line + 6, NULL, 10);
	fclose(f);
	return seconds;
}

static void put_sender(struct json *j, const struct ferry_process *p)
{
	long ticks = sysconf(_SC_CLK_TCK);

	json_open(j, "sender", '{');
	json_number(j, "pid", (uint64_t)p->pid);
	json_number(j, "uid", (uint64_t)p->uid);
	json_text(j, "name", p->name, strnlen(p->name, sizeof p->name));
	if (p->start_time && boot_time() && ticks > 0)
		json_time(j, "since",
			  FERRY_S(boot_time()) +
				  (int64_t)(p->start_time *
					    (1000000000u / (uint64_t)ticks)));
	json_close(j, '}');
}

static void put_json(FILE *f, const struct output *o,
		     const struct ferry_message *m)
{
	char id[24];
	struct json j;
	int n = snprintf(id, sizeof id, "%" PRIu64, m->id);

	json_init(&j, f);
	json_open(&j, NULL, '{');
	json_text(&j, o->kind, o->mailbox, strlen(o->mailbox));
	json_number(&j, "seq", m->seq);
	/* A string: many readers of JSON keep only 53 bits of a number. */
	json_text(&j, "id", id, (size_t)n);
	json_number(&j, "type", m->type);
	json_number(&j, "priority", m->priority);
	put_sender(&j, &m->sender);
	if (m->from)
		json_text(&j, "from", m->from, strlen(m->from));
	if (m->sent_at)
		json_time(&j, "sent_at", m->sent_at);
	json_bool(&j, "redelivered", m->redelivered);
	json_number(&j, "deliveries", m->deliveries);
	json_number(&j, "size", m->len);
	if (utf8_valid(m->data, m->len, true))
		json_text(&j, "data", m->data, m->len);
	else
		json_base64(&j, "data_b64", m->data, m->len);
	json_close(&j, '}');
	json_end(&j);
}

static bool write_json(const struct output *o, const struct ferry_message *m)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	bool ok;

	if (!f)
		return false;
	put_json(f, o, m);
	ok = !ferror(f);
	ok = !fclose(f) && ok && output_bytes(text, len);
	free(text);
	return ok;
}

bool output_message(const struct output *o, const struct ferry_message *m)
{
	size_t len = m->len;
	unsigned char head[4] = { (unsigned char)len, (unsigned char)(len >> 8),
				  (unsigned char)(len >> 16),
				  (unsigned char)(len >> 24) };
	bool ends = o->framing == FRAMING_LINE || o->framing == FRAMING_NUL ||
		    (o->framing == FRAMING_WHOLE && o->newline);
	char end = o->framing == FRAMING_NUL ? '\0' : '\n';
	struct iovec v[] = {
		{ .iov_base = head,
		  .iov_len = o->framing == FRAMING_LEN32 ? sizeof head : 0 },
		{ .iov_base = (void *)(uintptr_t)m->data, .iov_len = len },
		{ .iov_base = &end, .iov_len = ends },
	};

	if (o->framing == FRAMING_JSON)
		return write_json(o, m);
	return !fflush(stdout) && write_all(STDOUT_FILENO, v, 3);
}

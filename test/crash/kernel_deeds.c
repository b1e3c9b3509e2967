/* SPDX-License-Identifier: MIT */
/* What a victim does with its end. */
#include <unistd.h>

#include "kernel_moves.h"
#include "payload.h"

bool send_one(const struct scenario *s)
{
	int r = give(s, mine, board->accepted, FERRY_FOREVER);

	board->accepted += r == 0;
	return r == 0;
}

bool send_three(const struct scenario *s)
{
	for (int i = 0; i < MANY; i++)
		if (!send_one(s))
			return false;
	return true;
}

bool send_many(const struct scenario *s)
{
	struct iovec v[MANY];
	ssize_t n;

	for (int i = 0; i < MANY; i++) {
		v[i] = (struct iovec){ buffer + i * SMALL, length(s) };
		fill(s, v[i].iov_base, i);
	}
	n = ferry_send_many(mine, v, MANY, FERRY_FOREVER);
	board->accepted += n > 0 ? (int)n : 0;
	return n == MANY;
}

bool loan_and_commit(const struct scenario *s)
{
	struct ferry_message m;

	if (ferry_loan(mine, s->move->size, &m, FERRY_FOREVER))
		return false;
	payload_fill(m.data, s->move->size, board->accepted);
	if (ferry_commit(&m, FERRY_FOREVER))
		return false;
	board->accepted++;
	return true;
}

bool send_with_outlet(const struct scenario *s)
{
	int fds[2] = { outlet[1], outlet[1] };

	payload_fill(buffer, s->move->size, board->accepted);
	if (ferry_send_fds(mine, buffer, s->move->size, fds, 2, FERRY_FOREVER))
		return false;
	board->accepted++;
	return send_one(s);
}

bool send_and_shut_down(const struct scenario *s)
{
	return send_one(s) && ferry_shutdown(mine, FERRY_SEND) == 0;
}

bool send_and_close(const struct scenario *s)
{
	if (!send_one(s))
		return false;
	ferry_close(mine);
	return true;
}

static void received(const struct scenario *s, const void *data, ssize_t len)
{
	if (number_of(s, data, (size_t)len) == board->got)
		board->got++;
	else
		board->wrong++;
}

bool receive_one(const struct scenario *s)
{
	ssize_t len = ferry_recv(mine, buffer, sizeof buffer, FERRY_FOREVER);

	if (len < 0)
		return false;
	received(s, buffer, len);
	return true;
}

bool receive_all(const struct scenario *s)
{
	for (int i = 0; i < QUEUED; i++)
		if (!receive_one(s))
			return false;
	return true;
}

bool receive_many(const struct scenario *s)
{
	struct iovec v[MANY];
	ssize_t n;

	for (int i = 0; i < MANY; i++)
		v[i] = (struct iovec){ buffer + i * 1000, 1000 };
	n = ferry_recv_many(mine, v, MANY, FERRY_FOREVER);
	for (ssize_t i = 0; i < n; i++)
		received(s, v[i].iov_base, (ssize_t)v[i].iov_len);
	return n == MANY;
}

bool take_and_release(const struct scenario *s)
{
	struct ferry_message m;

	if (ferry_take(mine, &m, FERRY_FOREVER))
		return false;
	received(s, m.data, (ssize_t)m.len);
	return ferry_release(&m) == 0;
}

bool take_and_put_back(const struct scenario *s)
{
	struct ferry_message m;

	if (ferry_take(mine, &m, FERRY_FOREVER))
		return false;
	received(s, m.data, (ssize_t)m.len);
	if (ferry_requeue(&m, 0))
		return false;
	board->given++;
	return true;
}

bool ask_and_receive(const struct scenario *s)
{
	return ferry_next_len(mine) > 0 && receive_one(s);
}

bool receive_outlet(const struct scenario *s)
{
	int fds[FERRY_FDS_MAX];
	unsigned n = FERRY_FDS_MAX;
	ssize_t len = ferry_recv_fds(mine, buffer, sizeof buffer, fds, &n,
				     FERRY_FOREVER);

	if (len < 0 || n != 2)
		return false;
	received(s, buffer, len);
	return receive_one(s);
}

bool close_it(const struct scenario *s)
{
	(void)s;
	ferry_close(mine);
	return true;
}

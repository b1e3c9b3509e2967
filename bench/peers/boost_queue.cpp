/* SPDX-License-Identifier: MIT */
/*
 * Boost's message_queue for C.  It loses its name as soon as it is made; what
 * forks from its maker shares it.
 */
#include <boost/interprocess/ipc/message_queue.hpp>
#include "boost_queue.h"

namespace ipc = boost::interprocess;

static const char *sentence(const ipc::interprocess_exception &e)
{
	static char why[160];

	snprintf(why, sizeof why, "%s", e.what());
	return why;
}

void *boost_queue_new(const char *name, size_t depth, size_t size,
		      const char **out_why)
{
	ipc::message_queue *queue = nullptr;

	try {
		queue = new ipc::message_queue(ipc::create_only, name, depth,
					       size);
	} catch (const ipc::interprocess_exception &e) {
		*out_why = sentence(e);
	}
	ipc::message_queue::remove(name);
	return queue;
}

void boost_queue_free(void *queue)
{
	delete static_cast<ipc::message_queue *>(queue);
}

const char *boost_queue_send(void *queue, const void *data, size_t len)
{
	try {
		static_cast<ipc::message_queue *>(queue)->send(data, len, 0);
	} catch (const ipc::interprocess_exception &e) {
		return sentence(e);
	}
	return nullptr;
}

const char *boost_queue_receive(void *queue, void *data, size_t size,
				size_t *out_len)
{
	ipc::message_queue::size_type len = 0;
	unsigned priority;

	try {
		static_cast<ipc::message_queue *>(queue)->receive(
			data, size, len, priority);
	} catch (const ipc::interprocess_exception &e) {
		return sentence(e);
	}
	*out_len = len;
	return nullptr;
}

/* Lets pthread_create fail as a kernel does that has no process left to give.
 *
 * FEW_THREADS=N: at most N threads live at once beside the main one. FEW_THREADS_FILE: none can be
 * created while that file exists, which gets a byte for each one refused. (A real limit does not
 * bind root, who runs most containers.)
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

typedef int create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

struct work {
	void *(*run)(void *);
	void *argument;
};

static atomic_int alive;

static void *counted(void *given)
{
	struct work work = *(struct work *)given;
	free(given);
	void *result = work.run(work.argument);
	atomic_fetch_sub(&alive, 1);
	return result;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
	static create *real;
	if (!real)
		real = (create *)dlsym(RTLD_NEXT, "pthread_create");
	const char *limit = getenv("FEW_THREADS"), *file = getenv("FEW_THREADS_FILE");
	int refused = file ? open(file, O_WRONLY | O_APPEND) : -1;
	if (refused >= 0) {
		ssize_t written = write(refused, ".", 1);
		close(refused);
		return written == 1 ? EAGAIN : EIO;
	}
	if (atomic_fetch_add(&alive, 1) >= (limit ? atoi(limit) : 1000000)) {
		atomic_fetch_sub(&alive, 1);
		return EAGAIN;
	}
	struct work *work = malloc(sizeof *work);
	*work = (struct work){run, arg};
	return real(thread, attr, counted, work);
}

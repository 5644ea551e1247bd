/* Standard input, output and error; see standard.h. */
#include "config.h"

#include <fcntl.h>
#include <unistd.h>

#include "lib/standard.h"

/* Opens /dev/null for each of the descriptors 0, 1 and 2 that is closed. */
void
standard_open(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd != -1 && fd <= STDERR_FILENO);
	if (fd != -1)
		close(fd);
}

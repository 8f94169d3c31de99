// OpenSSL's library, for the signers of the tests and to check by another's hand.
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#!/bin/sh
# SeaweedFS as an S3 server with the one pair of keys that MinIO would be given.
set -eu
umask 077
cat > /tmp/s3.json <<JSON
{"identities": [{"name": "stack", "actions": ["Admin", "Read", "Write", "List", "Tagging"],
  "credentials": [{"accessKey": "$MINIO_ROOT_USER", "secretKey": "$MINIO_ROOT_PASSWORD"}]}]}
JSON
exec /usr/local/seaweedfs/bin/weed server -dir=/data -ip=127.0.0.1 -ip.bind=0.0.0.0 \
  -s3 -s3.port=9000 -s3.config=/tmp/s3.json -s3.port.iceberg=0 -s3.port.lance=0 \
  -master.volumeSizeLimitMB=256 \
  -volume.max=32 -filer=true

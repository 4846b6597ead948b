openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=test authority" -keyout ca.key -out ca.pem
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=server" -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -CA ca.pem -CAkey ca.key -keyout server.key -out server.pem
twistd rocketmq -P 127.0.0.1:9876 -p 127.0.0.1:10911 --tls-mode enforcing --tls-cert server.pem --tls-key server.key
python -m rocketmq_tw.tls check 127.0.0.1:9876 --ca ca.pem
python hello.py

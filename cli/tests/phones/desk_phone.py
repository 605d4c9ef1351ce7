"""A desk phone by pjsua2, which is not ours: registers, takes one call after the other as it is told, and says what
happens, one JSON object a line. It sends a tone and keeps what it hears.

desk_phone.py SERVER EXTENSION PASSWORD udp|tcp answer|stay|busy|decline|ring HEARD.WAV ADDRESS"""
import json
import os
import sys
import threading
import time

import pjsua2 as pj

SERVER, EXTENSION, PASSWORD, TRANSPORT, MODE, HEARD, ADDRESS = sys.argv[1:8]
# How long a call lasts that was answered, and is hung up.
TALK_S = 3.0


def say(**what):
    print(json.dumps(what), flush=True)


class Call(pj.Call):
    tone = recorder = None

    def onCallState(self, prm):
        info = self.getInfo()
        if info.state == pj.PJSIP_INV_STATE_CONFIRMED and MODE == "answer":
            work.append((TALK_S, lambda: self.hangup(pj.CallOpParam())))
        if info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            # The file gets its length.
            self.recorder = self.tone = None
        say(event="call", state=info.stateText, code=int(info.lastStatusCode), remote=info.remoteUri)

    def onCallMediaState(self, prm):
        # Its parts live no longer than the whole.
        info = self.getInfo()
        for at, media in enumerate(info.media):
            if media.type != pj.PJMEDIA_TYPE_AUDIO or media.status != pj.PJSUA_CALL_MEDIA_ACTIVE or self.tone:
                continue
            audio = self.getAudioMedia(at)
            self.tone = pj.ToneGenerator()
            self.tone.createToneGenerator()
            tone = pj.ToneDesc()
            tone.freq1, tone.freq2, tone.on_msec, tone.off_msec = 620, 0, 1000, 0
            tones = pj.ToneDescVector()
            tones.append(tone)
            self.tone.play(tones, True)
            self.tone.startTransmit(audio)
            self.recorder = pj.AudioMediaRecorder()
            self.recorder.createRecorder(HEARD)
            audio.startTransmit(self.recorder)


class Account(pj.Account):
    def onRegState(self, prm):
        say(event="register", code=int(prm.code))

    def onIncomingCall(self, prm):
        call = Call(self, prm.callId)
        calls.append(call)
        answer = pj.CallOpParam()
        answer.statusCode = {"answer": 180, "stay": 180, "ring": 180, "busy": 486, "decline": 603}[MODE]
        call.answer(answer)
        if MODE in ("answer", "stay"):
            up = pj.CallOpParam()
            up.statusCode = 200
            work.append((0.3, lambda: call.answer(up)))


calls, work = [], []
endpoint = pj.Endpoint()
endpoint.libCreate()
config = pj.EpConfig()
config.logConfig.level = config.logConfig.consoleLevel = 0
config.uaConfig.threadCnt = 0
config.uaConfig.mainThreadOnly = True
endpoint.libInit(config)
kind = pj.PJSIP_TRANSPORT_UDP if TRANSPORT == "udp" else pj.PJSIP_TRANSPORT_TCP
transport = pj.TransportConfig()
transport.boundAddress = ADDRESS
endpoint.transportCreate(kind, transport)
endpoint.audDevManager().setNullDev()
endpoint.libStart()
suffix = "" if TRANSPORT == "udp" else ";transport=tcp"
account_config = pj.AccountConfig()
account_config.idUri = f"sip:{EXTENSION}@{SERVER}"
account_config.regConfig.registrarUri = f"sip:{SERVER}{suffix}"
account_config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", EXTENSION, 0, PASSWORD))
account_config.mediaConfig.transportConfig.boundAddress = ADDRESS
account = Account()
account.create(account_config)
# Standard input ends when the test does.
gone = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), gone.set()), daemon=True).start()
waiting = []
while not gone.is_set():
    endpoint.libHandleEvents(20)
    now = time.monotonic()
    waiting += [(now + after, act) for after, act in work]
    work.clear()
    for due, act in [w for w in waiting if w[0] <= now]:
        waiting.remove((due, act))
        try:
            act()
        except pj.Error:
            pass
account.shutdown()
until = time.monotonic() + 1.0
while time.monotonic() < until:
    endpoint.libHandleEvents(20)
sys.stdout.flush()
# Calls that are over must not be touched any more, not even by the interpreter's end.
os._exit(0)

import re
from pathlib import Path
from uuid import uuid4
from tests.intake.invented import *
from tests.intake.test_pages import _look
async def test_shot(house):
    worker = await house.person("worker", LUOJING)
    await post(worker, "/visits", visit(needs=[{"text": "床板塌了一角,需要一张单人床,床垫她自己有"},{"text":"双胞胎宝宝7个月,缺二段奶粉4罐","urgency":"critical"}]))
    need = await one_need(worker)
    s, f = Story(need), uuid4()
    await house.deliver_twice("intake", s.approved(2), s.scheduled(2,2,NOW), s.received(1,1), s.overdue(f), s.due(f,-1))
    rows = household_rows(3); rows[2] |= {"phone":"not a phone"}; rows[5] |= {"address":"别处"}
    noted=(await worker.get(API+"/worklist")).json()["to_confirm"][0]["need_id"]
    out={"home":await worker.get("/intake/"),"visit":await worker.get("/intake/visits/new"),"household":await worker.get(f"/intake/households/{need['beneficiary_id']}"),"need":await worker.get(f"/intake/needs/{need['need_id']}"),"noted":await worker.get(f"/intake/needs/{noted}"),
     "import":await _look(worker,"households",households_file(rows)),"homeen":await worker.get("/intake/",headers={"accept-language":"en"})}
    Path("/tmp/shots").mkdir(exist_ok=True)
    for k,r in out.items():
        Path(f"/tmp/shots/{k}.html").write_text(r.text.replace('"/static/','"/work/main/shared/web/static/').replace("<details>","<details open>"))

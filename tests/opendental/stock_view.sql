-- What an unchanged Open Dental sees of an eConnector: its window, its monitor on every workstation, its alerts.
-- Runs on a practice's database as it is: mariadb --table opendental < stock_view.sql. It only reads.
-- Facts: 1 the connector among the eServices; severities 0 NotEnabled, 2 Working, 4 Error, 5 Critical.

-- name: status
-- The window and the monitor: the newest row that counts, all errors that wait (of every eService), the server's time.
SELECT CASE
         WHEN seen.Severity IS NULL THEN 'None'
         WHEN seen.Severity = 0 THEN 'NotEnabled'
         WHEN seen.Severity = 5 OR seen.SigDateTime < seen.ServerTime - INTERVAL 6 MINUTE THEN 'Critical'
         WHEN seen.PendingErrors <> 0 THEN 'Error'
         WHEN seen.Severity = 4 THEN 'Error'
         ELSE 'Working'
       END AS Status,
       seen.PendingErrors
FROM (SELECT 1) AS one
LEFT JOIN (
  SELECT eservicesignal.*,
         (SELECT COUNT(*) FROM eservicesignal WHERE Severity = 4 AND IsProcessed = 0) AS PendingErrors,
         NOW() AS ServerTime
  FROM eservicesignal
  WHERE ServiceCode = 1 AND Severity IN (0, 2, 4, 5)
  ORDER BY SigDateTime DESC, Severity DESC
  LIMIT 1
) AS seen ON TRUE;

-- name: history
-- The window's grid. The third column is painted yellow for an error that nobody has acknowledged.
SELECT SigDateTime, Severity, Severity = 4 AND IsProcessed = 0 AS IsYellow, Description
FROM eservicesignal
WHERE ServiceCode = 1
  AND SigDateTime BETWEEN CURDATE() - INTERVAL 30 DAY AND CURDATE() + INTERVAL 1 DAY
ORDER BY SigDateTime DESC, Severity DESC;

-- name: heartbeat
-- The automatic installation of an update: it installs only where no row ever said Working.
SELECT COUNT(*) > 0 AS EverWorked FROM eservicesignal WHERE Severity = 2;

-- name: refuses
-- The Recall List: Web Sched refuses to send while this is 1 (None, NotEnabled, Critical).
SELECT COALESCE((
  SELECT Severity IN (0, 5) OR SigDateTime < NOW() - INTERVAL 6 MINUTE
  FROM eservicesignal
  WHERE ServiceCode = 1 AND Severity IN (0, 2, 4, 5)
  ORDER BY SigDateTime DESC, Severity DESC
  LIMIT 1
), 1) AS Refuses;

-- name: alerts
-- The main menu of the user 1 at clinic 0: what the user has subscribed to, for this clinic or all, for this user or all.
SELECT DISTINCT alertitem.Type, alertitem.Severity, alertitem.Actions, alertitem.FormToOpen, alertitem.Description,
       EXISTS(SELECT 1 FROM alertread WHERE alertread.AlertItemNum = alertitem.AlertItemNum AND alertread.UserNum = 1)
         AS IsRead
FROM alertitem
INNER JOIN alertcategorylink ON alertcategorylink.AlertType = alertitem.Type
INNER JOIN alertsub ON alertsub.AlertCategoryNum = alertcategorylink.AlertCategoryNum
WHERE alertsub.UserNum = 1 AND alertsub.ClinicNum IN (-1, 0)
  AND alertitem.ClinicNum IN (-1, 0) AND alertitem.UserNum IN (0, 1)
ORDER BY alertitem.Type;

-- name: settings
-- The window's three settings.
SELECT PrefName, ValueString FROM preference
WHERE PrefName IN ('EServiceListenerEnabled', 'SendEmailsInDiffProcess', 'EConnectorCleanupLoggerIntervalDays')
ORDER BY PrefName;

-- name: caches
-- Every workstation, every few seconds: which kinds of settings to read again (5 is preferences).
SELECT IType, FKey, FKeyType, RemoteRole, DateViewing FROM signalod WHERE SigDateTime > NOW() - INTERVAL 1 HOUR;

-- name: audit
-- The audit trail's last rows; a row whose hash does not fit is painted red.
SELECT securitylog.PermType, securitylog.UserNum, securitylog.LogText, securitylog.CompName, securitylog.LogSource,
       TO_BASE64(UNHEX(SHA2(CONVERT(CONCAT(
         securitylog.PermType, securitylog.UserNum, DATE_FORMAT(securitylog.LogDateTime, '%Y-%m-%d %H:%i:%s'),
         securitylog.LogText, securitylog.PatNum) USING utf16le), 256))) = securityloghash.LogHash AS Fits
FROM securitylog
LEFT JOIN securityloghash ON securityloghash.SecurityLogNum = securitylog.SecurityLogNum
WHERE securitylog.LogDateTime > NOW() - INTERVAL 1 HOUR
ORDER BY securitylog.SecurityLogNum DESC;

@set @v=0 /*
@echo off
:: The batch part: looks whether Windows Script Host may run at all, makes the
:: script a .js of its own and runs that.  render.py fills in <...> and takes
:: these comment lines out.  No line but the last may hold the end of a comment.
:: The .js starts with an extra comment opener, so that the first line, which
:: only cmd understands, never reaches the script engine.
setlocal DisableDelayedExpansion
set "sys=%SystemRoot%\System32"
if defined PROCESSOR_ARCHITEW6432 if exist "%SystemRoot%\Sysnative\cscript.exe" set "sys=%SystemRoot%\Sysnative"
set "base=%~dpn0-%RANDOM%%RANDOM%"
set "key=SOFTWARE\Microsoft\Windows Script Host\Settings"
set "m="
set "u="
for /f "tokens=1,3" %%a in ('%sys%\reg.exe query "HKLM\%key%" /v Enabled 2^>nul') do if /i "%%a"=="Enabled" set "m=%%b"
for /f "tokens=1,3" %%a in ('%sys%\reg.exe query "HKCU\%key%" /v Enabled 2^>nul') do if /i "%%a"=="Enabled" set "u=%%b"
if "%m%"=="0x0" goto machine
if "%m%"=="0" goto machine
if "%u%"=="0x0" goto user
if "%u%"=="0" goto user
echo /*>"%base%.js"
type "%~f0">>"%base%.js"
set "rc=cannot-write"
if not exist "%base%.js" goto never
"%sys%\cscript.exe" //nologo //E:JScript //T:<seconds> "%base%.js"
set "rc=%errorlevel%"
:: The script deletes its .js as its first act.  Still there and no exit code
:: of ours: cscript did not take its options (some know neither //E nor //T).
if not exist "%base%.js" goto ran
if "%rc%"=="10" goto ran
if "%rc%"=="11" goto ran
if "%rc%"=="12" goto ran
"%sys%\cscript.exe" //nologo "%base%.js"
set "rc=%errorlevel%"
if not exist "%base%.js" goto ran
if "%rc%"=="10" goto ran
if "%rc%"=="11" goto ran
if "%rc%"=="12" goto ran
:never
<never>
goto done
:machine
<machine>
set "rc=<off>"
goto ran
:user
<user>
set "rc=<off>"
:ran
<stopped>
:done
<limits>
<lock>
del /q /f "%base%.js" "%base%.out" >nul 2>nul
set "x=1"
if "%rc%"=="10" set "x=0"
if "%rc%"=="12" set "x=2"
<end>
*/
